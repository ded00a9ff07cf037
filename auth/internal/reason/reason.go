// Package reason says why a token is refused, in fixed words for the log and
// the client. Those of the JWT library can quote what an attacker sent.
package reason

import (
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// Why a token is refused, whoever issued it.
var (
	ErrCritical   = errors.New("critical header extension")
	ErrUnknownKey = errors.New("unknown key")
	ErrAlgorithm  = errors.New("not the algorithm of the key")
	ErrExpired    = errors.New("expired")
	ErrNotYet     = errors.New("not valid yet")
	ErrMissing    = errors.New("exp, iss or aud is missing")
	ErrIssuer     = errors.New("foreign issuer")
	ErrAudience   = errors.New("foreign audience")
	ErrSignature  = errors.New("wrong signature or algorithm")
	ErrMalformed  = errors.New("malformed")
)

// Of returns the first that fits an error of the library: those of a key
// function, own ones first, then what the library found itself. nil for nil.
func Of(err error, own ...error) error {
	if err == nil {
		return nil
	}
	for _, o := range append(own, ErrCritical, ErrUnknownKey, ErrAlgorithm, ErrIssuer) {
		if errors.Is(err, o) {
			return o
		}
	}
	for _, pair := range []struct{ library, own error }{
		{jwt.ErrTokenSignatureInvalid, ErrSignature},
		{jwt.ErrTokenUnverifiable, ErrAlgorithm},
		{jwt.ErrTokenExpired, ErrExpired},
		{jwt.ErrTokenNotValidYet, ErrNotYet},
		{jwt.ErrTokenUsedBeforeIssued, ErrNotYet},
		{jwt.ErrTokenRequiredClaimMissing, ErrMissing},
		{jwt.ErrTokenInvalidIssuer, ErrIssuer},
		{jwt.ErrTokenInvalidAudience, ErrAudience},
	} {
		if errors.Is(err, pair.library) {
			return pair.own
		}
	}
	return ErrMalformed
}
