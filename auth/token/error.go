package token

import (
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// Why a token is refused, for the log. These texts are fixed: those of the
// library can quote what an attacker sent.
var (
	errUnconfigured = errors.New("no issuer or service is configured")
	errCritical     = errors.New("critical header extension")
	errUnknownKey   = errors.New("unknown key")
	errAlgorithm    = errors.New("not the algorithm of the key")
	errExpired      = errors.New("expired")
	errNotYet       = errors.New("not valid yet")
	errMissing      = errors.New("exp, iss or aud is missing")
	errIssuer       = errors.New("foreign issuer")
	errAudience     = errors.New("foreign audience")
	errSignature    = errors.New("wrong signature or algorithm")
	errRule         = errors.New("invalid rule")
	errMalformed    = errors.New("malformed")
)

// reason returns the first of the errors above that fits an error of the
// library.
func reason(err error) error {
	if err == nil {
		return nil
	}
	for _, own := range []error{errCritical, errUnknownKey, errAlgorithm} {
		if errors.Is(err, own) {
			return own
		}
	}
	for _, pair := range []struct{ library, own error }{
		{jwt.ErrTokenSignatureInvalid, errSignature},
		{jwt.ErrTokenUnverifiable, errAlgorithm},
		{jwt.ErrTokenExpired, errExpired},
		{jwt.ErrTokenNotValidYet, errNotYet},
		{jwt.ErrTokenRequiredClaimMissing, errMissing},
		{jwt.ErrTokenInvalidIssuer, errIssuer},
		{jwt.ErrTokenInvalidAudience, errAudience},
	} {
		if errors.Is(err, pair.library) {
			return pair.own
		}
	}
	return errMalformed
}
