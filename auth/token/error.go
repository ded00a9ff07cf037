package token

import "errors"

// Why a token is refused, beside what package reason has.
var (
	errUnconfigured = errors.New("no issuer or service is configured")
	errRule         = errors.New("invalid rule")
)
