// Package e2e holds ageseal against real servers, which "make e2e" builds into .tools and its tests start on the loopback interface. All of it
// is tests, behind the build tag e2e: the fast tier neither needs the servers nor skips for want of them.
//
// The servers are Go modules of their own, in the directories below. A test whose server is not in .tools is skipped and says so; what ran
// and what did not is what report prints in the end.
package e2e
