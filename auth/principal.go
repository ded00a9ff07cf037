package auth

import (
	"net/netip"
	"slices"
	"time"
)

// Kind is what a principal is.
type Kind uint8

// The kinds of principals. The zero Kind is Anonymous.
const (
	Anonymous Kind = iota
	User
	Robot
	Outside // known by the token of a configured outside issuer
)

func (k Kind) String() string {
	switch k {
	case Anonymous:
		return "anonymous"
	case User:
		return "user"
	case Robot:
		return "robot"
	case Outside:
		return "outside"
	}
	return "unknown"
}

// Principal is who sends a request. The zero Principal is anonymous. It is a
// value: nobody changes its slices after it was made, copies share them.
type Principal struct {
	Kind   Kind
	Name   string   // of the user; of the robot, without RobotPrefix; "<who>:<subject>" of who is outside; "" if anonymous
	Groups []string // as they were when the credentials were checked or the token issued
	Admin  bool     // may everything; counts for users only

	// Own are rights that it brings along beside the grants: a robot's, or
	// those of an outside issuer. A grant that denies takes them away too.
	Own []Rule
	// Within is a ceiling if Narrowed is set: nothing beyond it, whatever the
	// grants or Admin say (CVE-2025-68944). None then means nothing at all.
	Within   []Rule
	Narrowed bool

	// Credential is the id of the personal token that it came by, or names the
	// secret of a robot, or the entries of the configuration that let in who is
	// outside, for Standing; "" if by a password.
	Credential string
	// Client is the address that asks now, for grants to an address range and
	// the audit trail. It is set for each request and never from a token.
	Client netip.Addr

	// Token says that a token was presented. What it holds is then a ceiling:
	// Gate asks Allows, not the grants.
	Token   bool
	Expires time.Time // of the token, or of the credentials if they do; zero otherwise
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
// "anonymous", "user:alice", "robot:ci", "outside:gitlab:project_path:a/b". No
// two principals share one, but all that are anonymous do.
func (p Principal) ID() string {
	if p.Kind == Anonymous {
		return p.Kind.String()
	}
	return p.Kind.String() + ":" + p.Name
}

// Administers reports whether p is an administrator of berth itself: one who
// came by a personal token that narrows is not, whatever it reaches.
func (p Principal) Administers() bool { return p.isAdmin() && !p.Narrowed }

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
