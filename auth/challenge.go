package auth

import (
	"errors"
	"strings"
)

// Challenge is what a 401 asks for: the one WWW-Authenticate header of the
// answer (RFC 6750, section 3; distribution, docs/content/spec/auth/token.md).
type Challenge struct {
	Realm   string   // URL of the token endpoint, on the registry's own scheme, host and port
	Service string   // the audience of the tokens
	Scope   []Access // what the request needs; none for /v2/
	Err     error    // why a token that was presented will not do, or nil
}

// String returns the value of the header. error= is there if Err wraps
// ErrInvalidToken or ErrInsufficientScope: without it containerd replays the
// same token, and with it where no token was presented it gives up.
func (c Challenge) String() string {
	var b strings.Builder
	b.WriteString("Bearer realm=")
	quote(&b, c.Realm)
	b.WriteString(",service=")
	quote(&b, c.Service)
	if scope := c.scope(); scope != "" {
		b.WriteString(",scope=")
		quote(&b, scope)
	}
	switch {
	case errors.Is(c.Err, ErrInvalidToken):
		b.WriteString(`,error="invalid_token"`)
	case errors.Is(c.Err, ErrInsufficientScope):
		b.WriteString(`,error="insufficient_scope"`)
	}
	return b.String()
}

func (c Challenge) scope() string {
	var scopes []string
	for _, a := range c.Scope {
		if a.Actions&All != 0 {
			scopes = append(scopes, a.String())
		}
	}
	return strings.Join(scopes, " ")
}

// quote writes a quoted-string (RFC 9110, section 5.6.4). Whatever is not
// printable ASCII is left out: the realm can come from the Host of a request,
// and must end neither the string nor the header.
func quote(b *strings.Builder, s string) {
	b.WriteByte('"')
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' {
			continue
		}
		if c == '"' || c == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	b.WriteByte('"')
}
