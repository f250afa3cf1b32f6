package main

import (
	"errors"

	"github.com/ageseal/ageseal/crypt"
	"github.com/ageseal/ageseal/secret"
)

// Exit status, documented in each help text and in docs/.
const (
	statusError          = 1
	statusUsage          = 2
	statusFindings       = 3
	statusNoIdentity     = 4
	statusAuthentication = 5
	statusInterrupted    = 130
)

// usageError is a command line that can't be understood.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// errPassedOn ends the program with the status of a command that it ran, which has said what there is to say.
var errPassedOn = errors.New("the command's status")

// errLeftUndone is findings, or something left undone on request; the messages have been printed.
var errLeftUndone = errors.New("left undone")

// exitStatus is the one place where an error becomes a status. Altered sealed data outranks a missing identity.
func exitStatus(err error) int {
	var usage *usageError
	var own *exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &own):
		return own.status
	case errors.As(err, &usage):
		return statusUsage
	case errors.Is(err, errLeftUndone):
		return statusFindings
	case secret.IsAuthentication(err):
		return statusAuthentication
	case errors.Is(err, crypt.ErrNoIdentity):
		return statusNoIdentity
	}
	return statusError
}
