// Package ostest runs the real binary against the operating system: killed at every system call that changes a file,
// on a full filesystem, under limits, without permissions, interrupted, twice at once. It knows Linux (ptrace, namespaces,
// credentials) and what a run has to leave behind; of how ageseal writes files it knows only the name of its temporary ones.
//
// What it holds every run to: each file is byte for byte old, or new and opens to the same values; a run that fails
// prints nothing on stdout and changes no file; nothing beside the user's own files ever holds a plaintext; and running
// the command again completes. All of it is tests.
package ostest
