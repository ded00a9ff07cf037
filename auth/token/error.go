package token

import (
	"errors"

	"github.com/berth-registry/berth/auth"
)

// Why a token is refused, beside what package reason has.
var (
	errUnconfigured    = errors.New("no issuer or service is configured")
	errRule            = errors.New("invalid rule")
	errTooLong         = errors.New("too long")
	errGone            = errors.New("there is no such user any more")
	errPasswordChanged = errors.New("the password has changed")
)

// refreshError is the auth.ErrBadCredentials of a refresh token: who shows one
// typed no name and no password, and has to.
type refreshError struct{ reason error }

func (e *refreshError) Error() string {
	return "log in again, the refresh token is refused: " + e.reason.Error()
}

func (e *refreshError) Is(target error) bool { return target == auth.ErrBadCredentials }
func (e *refreshError) Unwrap() error        { return e.reason }
