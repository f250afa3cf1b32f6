package crypt

// hidden keeps a secret where fmt cannot reach it. A Format method is not enough: fmt prints the
// unexported fields of other structs without asking it, and follows even pointers there when the verb
// does not fit ("%s"). A function prints as an address.
type hidden[T any] func() T

func hide[T any](secret T) hidden[T] { return func() T { return secret } }
