// Package identity knows where private keys come from: files named on the command line, three variables
// of the environment, one default file, and the user's own key of ssh. It is the only package that reads key
// material, and it reads each source once; what it hands on is [crypt.Identity], which prints as its recipient.
// It owns the terminal, on which passphrases and values are asked for, and runs the plugins of age that the
// user named.
//
// It never looks into a repository – the identity of a group, which lies there encrypted, is opened inside crypt – never quotes a line of a key file, and leaves no AGESEAL_ variable
// behind for a child process to inherit.
package identity
