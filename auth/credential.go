package auth

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// Credentials are a name and a secret, and who shows them.
type Credentials struct {
	Name   string
	Secret string     // a password, a personal token, a robot's secret, a JWT
	Client netip.Addr // zero: not known
}

// String leaves the secret out, so that no log has it by mistake.
func (c Credentials) String() string { return c.Name + " from " + c.Client.String() }

// GoString is String.
func (c Credentials) GoString() string { return c.String() }

// MaxBasic is the longest Basic credentials, in bytes of base64. They are that
// long because a JWT can stand in for the password.
const MaxBasic = 16 << 10

// authorization splits the Authorization header into scheme and credentials.
// ErrNoCredentials if there is none, ErrMalformed if there are several: what a
// proxy in front believes and what we believe must not differ.
func authorization(h http.Header) (scheme, credentials string, err error) {
	values := h["Authorization"]
	if len(values) > 1 {
		return "", "", fmt.Errorf("%w: several Authorization headers", ErrMalformed)
	}
	if len(values) == 0 || strings.Trim(values[0], " ") == "" {
		return "", "", ErrNoCredentials
	}
	scheme, credentials, _ = strings.Cut(strings.Trim(values[0], " "), " ")
	return scheme, strings.TrimLeft(credentials, " "), nil
}

// ParseBasic decodes the credentials of the scheme Basic: base64 of name,
// colon and password (RFC 7617, section 2). The first colon separates; none of
// the two has control characters. The bytes of the password are returned as
// they came, in whatever encoding the client has. No credentials at all are
// two empty strings. ErrMalformed otherwise; the text of the error has nothing
// of the secret.
func ParseBasic(credentials string) (name, password string, err error) {
	if len(credentials) > MaxBasic {
		return "", "", fmt.Errorf("%w: Basic credentials above %d bytes", ErrMalformed, MaxBasic)
	}
	if credentials == "" {
		return "", "", nil
	}
	decoded, err := base64.StdEncoding.DecodeString(credentials)
	if err != nil {
		return "", "", fmt.Errorf("%w: Basic credentials are no base64", ErrMalformed)
	}
	name, password, ok := strings.Cut(string(decoded), ":")
	if !ok || hasControl(name) || hasControl(password) {
		return "", "", fmt.Errorf("%w: Basic credentials are not name:password", ErrMalformed)
	}
	return name, password, nil
}

func hasControl(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return true
		}
	}
	return false
}
