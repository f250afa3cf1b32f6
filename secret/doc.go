// Package secret holds the use cases over one or many documents: encrypt, decrypt, set a value, rekey.
//
// It joins manifest (documents as text) with crypt (suite 1) and knows the rules that need both: what is bound to what,
// which data keys a writer may use, and to whom a sealed value may be given (the rules for writers of docs/format.md).
// Recipients and identities are arguments, results are returned. It reads no file, no environment and no policy,
// and prints nothing.
package secret
