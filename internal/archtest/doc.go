// Package archtest holds the import rules of ageseal: which room may use which, and which few may touch a private key, a process,
// the terminal or kustomize. It knows the module's import graph and the selectors its sources use, and nothing of what they do.
//
// The import graph is the proof that a command cannot reach a private key, so a broken rule fails with the chain that breaks it.
// All of it is tests.
package archtest
