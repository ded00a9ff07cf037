package issuer

import (
	"errors"

	"github.com/berth-registry/berth/auth/internal/reason"
)

// Why a token is refused, beside what package reason has.
var (
	errTooLong  = errors.New("too long")
	errTokens   = errors.New("tokens of this issuer are not taken in this place")
	errType     = errors.New("typ is not JWT")
	errNoKeys   = errors.New("the keys of the issuer cannot be had at the moment")
	errRequire  = errors.New("the claims are not those that are required")
	errSubject  = errors.New("sub is missing, too long or no visible text")
	errAccess   = errors.New("the access claim is malformed")
	errTooMany  = errors.New("more rights than a token can hold")
	errNotValid = errors.New("no longer trusted")
)

// why is reason.Of with the errors that a key function can return here.
func why(err error) error {
	return reason.Of(err, errTokens, errType, errNoKeys)
}
