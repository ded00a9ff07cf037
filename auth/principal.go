package auth

import (
	"slices"
	"time"
)

// Kind is what a principal is.
type Kind uint8

// The kinds of principals. The zero Kind is Anonymous.
const (
	Anonymous Kind = iota
	User
)

func (k Kind) String() string {
	switch k {
	case Anonymous:
		return "anonymous"
	case User:
		return "user"
	}
	return "unknown"
}

// Principal is who sends a request. The zero Principal is anonymous. It is a
// value: nobody changes Groups after it was made, copies share them.
type Principal struct {
	Kind   Kind
	Name   string   // of the user; "" if anonymous
	Groups []string // as they were when the credentials were checked or the token issued
	Admin  bool     // may everything; counts for users only

	// Token says that a token was presented. What it holds is then a ceiling:
	// Gate asks Allows, not the grants.
	Token   bool
	Expires time.Time // of the token; zero otherwise
	access  []Access
}

// WithToken returns p as it came by a token that holds access and expires.
func (p Principal) WithToken(access []Access, expires time.Time) Principal {
	p.Token, p.Expires, p.access = true, expires, slices.Clone(access)
	return p
}

// Access lists what the token holds; nil if p came without one.
func (p Principal) Access() []Access { return slices.Clone(p.access) }

// ID names the principal in logs and as the owner of upload sessions:
// "anonymous", "user:alice". No two principals share one, but all that are
// anonymous do.
func (p Principal) ID() string {
	if p.Kind == Anonymous {
		return p.Kind.String()
	}
	return p.Kind.String() + ":" + p.Name
}

// Allows reports whether the token holds all of the access. Without a token
// nothing is held: see Policy.Decide.
func (p Principal) Allows(a Access) bool {
	return a.Actions != 0 && p.holds(a).Has(a.Actions)
}

// holds returns the part of a that the token holds.
func (p Principal) holds(a Access) Actions {
	var held Actions
	for i := range p.access {
		if p.access[i].same(a) {
			held |= p.access[i].Actions
		}
	}
	return held & a.Actions
}

// isAdmin keeps the word to users: an "admin" of any other kind is nobody.
func (p Principal) isAdmin() bool { return p.Admin && p.Kind == User }
