package auth

import "errors"

// What can be wrong with a request's identity or rights. Every error of this
// package and of auth/token and auth/account that a client caused wraps one of
// them; any other error is a failure of the server.
//
//	ErrNoCredentials      401, a challenge without error=
//	ErrMalformed          401, a challenge without error=
//	ErrBadCredentials     401, a challenge without error=
//	ErrCertificate        401, a challenge without error=
//	ErrInvalidToken       401, error="invalid_token"      (RFC 6750, section 3.1)
//	ErrInsufficientScope  401, error="insufficient_scope" (RFC 6750 says 403; registry clients need 401)
//	ErrDenied             403
//	ErrScope              400
//	ErrTooManyLogins      429, no challenge
var (
	// ErrNoCredentials means that the request says nothing about who sends it.
	ErrNoCredentials = errors.New("no credentials")
	// ErrMalformed means an Authorization header that cannot be read, an
	// unknown scheme, or several headers.
	ErrMalformed = errors.New("malformed credentials")
	// ErrBadCredentials means an unknown user or a wrong password, never which.
	ErrBadCredentials = errors.New("wrong user name or password")
	// ErrCertificate means a TLS client certificate that identifies nobody.
	ErrCertificate = errors.New("the client certificate cannot be used")
	// ErrInvalidToken means a token that is forged, foreign, expired, not yet
	// valid, unreadable, or of a user who has been removed.
	ErrInvalidToken = errors.New("invalid token")
	// ErrInsufficientScope means a valid token without the entry that is needed.
	ErrInsufficientScope = errors.New("insufficient scope")
	// ErrDenied means a principal who is known and may not.
	ErrDenied = errors.New("denied")
	// ErrScope means a scope against the grammar or too long, or too many of
	// them; only the last is told to a client.
	ErrScope = errors.New("malformed scope")
	// ErrTooManyLogins means that the password was not looked at, because too
	// many others wait to be: the same request may do a moment later.
	ErrTooManyLogins = errors.New("too many logins are being checked: try again in a moment")
)

// AccessError says which right is missing. It wraps ErrInsufficientScope or
// ErrDenied, and names no grant: which rule refused is for `berth explain`.
type AccessError struct {
	Err     error
	Needed  Access  // all that the request needs: the scope of the challenge
	Missing Actions // the part that is not there
}

func (e *AccessError) Error() string {
	return e.Err.Error() + ": " + Access{Type: e.Needed.Type, Name: e.Needed.Name, Actions: e.Missing}.String()
}

func (e *AccessError) Unwrap() error { return e.Err }
