package token

import (
	"errors"
	"fmt"
	"strings"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/oci"
	"github.com/golang-jwt/jwt/v5"
)

// claims are those of a token. The embedded ones but for sub, which is there
// also when it is empty.
type claims struct {
	jwt.RegisteredClaims
	Subject string   `json:"sub"`
	Access  []entry  `json:"access"`
	Berth   identity `json:"berth"`
}

// entry is an access entry with what a client may like to know.
type entry struct {
	auth.Access
	Parameters map[string]string `json:"parameters,omitempty"`
}

// identity is what a Principal is beside its name. Own and Within are the
// texts of rules.
type identity struct {
	Kind       string   `json:"kind"`
	Groups     []string `json:"groups,omitempty"`
	Admin      bool     `json:"admin,omitempty"`
	Own        []string `json:"own,omitempty"`
	Narrowed   bool     `json:"narrowed,omitempty"`
	Within     []string `json:"within,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// GetSubject overrides the embedded one, which never sees sub.
func (c claims) GetSubject() (string, error) { return c.Subject, nil }

// identityOf returns the subject, which no two principals share, and the rest.
func identityOf(p auth.Principal) (subject string, id identity, err error) {
	if len(p.Own) > auth.MaxRules || len(p.Within) > auth.MaxRules {
		return "", identity{}, fmt.Errorf("no token with more than %d rules", auth.MaxRules)
	}
	id = identity{
		Kind: p.Kind.String(), Groups: p.Groups, Admin: p.Admin, Credential: p.Credential,
		Own: auth.RuleTexts(p.Own), Narrowed: p.Narrowed, Within: auth.RuleTexts(p.Within),
	}
	switch p.Kind {
	case auth.Anonymous:
		return "", identity{Kind: id.Kind}, nil
	case auth.User, auth.Outside:
		return p.Name, id, nil
	case auth.Robot:
		return auth.RobotPrefix + p.Name, id, nil
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
	p, err := c.named()
	if err != nil {
		return auth.Principal{}, err
	}
	if p.Own, err = auth.ParseRules(c.Berth.Own); err != nil {
		return auth.Principal{}, errRule
	}
	if p.Within, err = auth.ParseRules(c.Berth.Within); err != nil {
		return auth.Principal{}, errRule
	}
	if p.Narrowed = c.Berth.Narrowed; p.Within != nil && !p.Narrowed {
		return auth.Principal{}, errors.New("a ceiling that does not narrow")
	}
	return p.WithToken(access, c.ExpiresAt.Time), nil
}

// named reads who it is. Each kind has what is its own, and nothing else.
func (c *claims) named() (auth.Principal, error) {
	id := c.Berth
	p := auth.Principal{Name: c.Subject, Groups: id.Groups, Admin: id.Admin, Credential: id.Credential}
	switch id.Kind {
	case auth.Anonymous.String():
		if p.Name != "" || p.Groups != nil || p.Admin || p.Credential != "" || id.Own != nil || id.Within != nil || id.Narrowed {
			return p, errors.New("anonymous with an identity")
		}
		return p, nil
	case auth.User.String():
		p.Kind = auth.User
		return p, valid(oci.ValidComponent(p.Name), "invalid user name")
	case auth.Robot.String():
		name, is := strings.CutPrefix(c.Subject, auth.RobotPrefix)
		p.Kind, p.Name = auth.Robot, name
		return p, valid(is && auth.CheckRobot(name) == nil && p.Groups == nil && !p.Admin, "invalid robot")
	case auth.Outside.String():
		p.Kind = auth.Outside
		return p, valid(auth.CheckOutside(p.Name) == nil && p.Groups == nil && !p.Admin, "invalid outside caller")
	}
	return p, errors.New("unknown kind of principal")
}

func valid(ok bool, why string) error {
	if !ok {
		return errors.New(why)
	}
	return nil
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
			known = append(known, a.Access)
		case auth.TypeRegistry:
			known = append(known, a.Access)
		}
	}
	return known, nil
}
