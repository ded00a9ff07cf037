package issuer

import (
	"encoding/json"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/reason"
	"github.com/golang-jwt/jwt/v5"
)

// claims are those of a token. Into a map, because the names of claims are
// compared in their own case there: a struct takes "SUB" for "sub".
type claims map[string]json.RawMessage

var _ jwt.Claims = claims(nil)

// text returns the value of a claim that is a string, and "" for what is
// absent, empty or anything else: a number, a list, an object.
func (c claims) text(name string) string {
	var s *string
	if json.Unmarshal(c[name], &s) != nil || s == nil {
		return ""
	}
	return *s
}

// is reports whether a claim is there and not null.
func (c claims) is(name string) bool {
	value, has := c[name]
	return has && string(value) != "null"
}

func (c claims) date(name string) (*jwt.NumericDate, error) {
	if !c.is(name) {
		return nil, nil
	}
	d := new(jwt.NumericDate)
	if err := json.Unmarshal(c[name], d); err != nil {
		return nil, reason.ErrMalformed
	}
	return d, nil
}

// GetExpirationTime implements jwt.Claims.
func (c claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.date("exp") }

// GetNotBefore implements jwt.Claims.
func (c claims) GetNotBefore() (*jwt.NumericDate, error) { return c.date("nbf") }

// GetIssuedAt implements jwt.Claims.
func (c claims) GetIssuedAt() (*jwt.NumericDate, error) { return c.date("iat") }

// GetIssuer implements jwt.Claims.
func (c claims) GetIssuer() (string, error) { return c.text("iss"), nil }

// GetSubject implements jwt.Claims.
func (c claims) GetSubject() (string, error) { return c.text("sub"), nil }

// GetAudience implements jwt.Claims: a string or a list of them (RFC 7519,
// section 4.1.3).
func (c claims) GetAudience() (jwt.ClaimStrings, error) {
	var list jwt.ClaimStrings
	if c.is("aud") && json.Unmarshal(c["aud"], &list) != nil {
		return nil, reason.ErrMalformed
	}
	return list, nil
}

// access are the entries of the access claim. None is there in the token that a
// client logs in with, and some servers then leave the claim out.
func (c claims) access() ([]auth.Access, error) {
	var list []auth.Access
	if c.is("access") && json.Unmarshal(c["access"], &list) != nil || len(list) > auth.MaxScopes {
		return nil, errAccess
	}
	return list, nil
}
