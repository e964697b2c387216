// Package usage marks errors that the user can mend by calling the command differently.
package usage

import (
	"errors"
	"fmt"
)

// Error is wrong usage: nothing was started, and the command exits with 2.
type Error struct{ err error }

// Errorf formats an Error like fmt.Errorf; the text says what is wrong, where, and what to do.
func Errorf(format string, arguments ...any) error {
	return &Error{fmt.Errorf(format, arguments...)}
}

// Wrap makes err an Error; nil stays nil.
func Wrap(err error) error {
	if err == nil {
		return nil
	}
	return &Error{err}
}

// Error gives the text of the error.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap gives the error below.
func (e *Error) Unwrap() error { return e.err }

// Is tells whether err is wrong usage.
func Is(err error) bool {
	var wrong *Error
	return errors.As(err, &wrong)
}
