package token

import (
	"errors"
	"fmt"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/oci"
	"github.com/golang-jwt/jwt/v5"
)

// claims are those of a token. The embedded ones but for sub, which is there
// also when it is empty.
type claims struct {
	jwt.RegisteredClaims
	Subject string        `json:"sub"`
	Access  []auth.Access `json:"access"`
	Berth   identity      `json:"berth"`
}

// identity is what a Principal is beside its name.
type identity struct {
	Kind   string   `json:"kind"`
	Groups []string `json:"groups,omitempty"`
	Admin  bool     `json:"admin,omitempty"`
}

// GetSubject overrides the embedded one, which never sees sub.
func (c claims) GetSubject() (string, error) { return c.Subject, nil }

func identityOf(p auth.Principal) (subject string, id identity, err error) {
	switch p.Kind {
	case auth.Anonymous:
		return "", identity{Kind: p.Kind.String()}, nil
	case auth.User:
		return p.Name, identity{Kind: p.Kind.String(), Groups: p.Groups, Admin: p.Admin}, nil
	}
	return "", identity{}, fmt.Errorf("no token for a principal of kind %s", p.Kind)
}

// principal is the reverse of identityOf, for claims whose signature has been
// verified.
func (c *claims) principal() (auth.Principal, error) {
	access, err := c.entries()
	if err != nil {
		return auth.Principal{}, err
	}
	p := auth.Principal{Name: c.Subject, Groups: c.Berth.Groups, Admin: c.Berth.Admin}
	switch c.Berth.Kind {
	case auth.Anonymous.String():
		if p.Name != "" || p.Groups != nil || p.Admin {
			return auth.Principal{}, errors.New("anonymous with an identity")
		}
	case auth.User.String():
		if !oci.ValidComponent(p.Name) {
			return auth.Principal{}, errors.New("invalid user name")
		}
		p.Kind = auth.User
	default:
		return auth.Principal{}, errors.New("unknown kind of principal")
	}
	return p.WithToken(access, c.ExpiresAt.Time), nil
}

// entries checks the access entries. One of an unknown type is of a later
// version and gives no right here.
func (c *claims) entries() ([]auth.Access, error) {
	var known []auth.Access
	for _, a := range c.Access {
		switch a.Type {
		case auth.TypeRepository:
			if _, err := oci.ParseRepository(a.Name); err != nil {
				return nil, errors.New("invalid repository name")
			}
			known = append(known, a)
		case auth.TypeRegistry:
			known = append(known, a)
		}
	}
	return known, nil
}
