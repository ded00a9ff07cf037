package oidc

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/berth-registry/berth/auth"
)

// claims are what the provider says of a person.
type claims map[string]any

// newClaims reads an ID token that has been verified. A token that was made for
// another client is refused, although this one is in its audience (Core 1.0,
// section 3.1.3.7).
func newClaims(id *oidc.IDToken, clientID string) (claims, error) {
	var c claims
	if err := id.Claims(&c); err != nil {
		return nil, failed("read the ID token", err)
	}
	if party, has := c["azp"]; has && party != clientID {
		return nil, failed("verify the ID token", errors.New("made for another client"))
	}
	if c.subject() == "" {
		return nil, failed("read the ID token", errors.New("no sub"))
	}
	return c, nil
}

func (c claims) subject() string {
	sub, _ := c["sub"].(string)
	return sub
}

// find returns the value of a claim: that of the name, or for a.b that of b in
// a.
func (c claims) find(name string) (any, bool) {
	if value, has := c[name]; has {
		return value, true
	}
	outer, inner, nested := strings.Cut(name, ".")
	object, is := c[outer].(map[string]any)
	if !nested || !is {
		return nil, false
	}
	return claims(object).find(inner)
}

// texts returns the value of a claim as a list; one value is a list of one.
// What is neither text nor true or false is left out.
func (c claims) texts(name string) []string {
	value, _ := c.find(name)
	list, is := value.([]any)
	if !is {
		list = []any{value}
	}
	var texts []string
	for _, v := range list {
		switch v := v.(type) {
		case string:
			texts = append(texts, v)
		case bool:
			texts = append(texts, fmt.Sprint(v))
		}
	}
	return texts
}

// complete reports whether all that is configured is in the claims.
func (l *Login) complete(c claims) bool {
	needed := []string{l.o.NameClaim}
	for _, r := range l.require {
		needed = append(needed, r.Claim)
	}
	if l.o.NameClaim == claimEmail {
		needed = append(needed, claimVerified)
	}
	if l.o.GroupsClaim != "" {
		needed = append(needed, l.o.GroupsClaim)
	}
	return !slices.ContainsFunc(needed, func(name string) bool {
		_, has := c.find(name)
		return !has
	})
}

// The claims of an address (Core 1.0, section 5.1).
const (
	claimEmail    = "email"
	claimVerified = "email_verified"
)

// person makes a person of the claims. auth.ErrDenied if that cannot be.
func (l *Login) person(c claims) (auth.Person, error) {
	for _, r := range l.require {
		if !slices.ContainsFunc(c.texts(r.Claim), r.Glob.Match) {
			return auth.Person{}, fmt.Errorf("%w: the provider of identities does not say of you what auth.oidc.require wants of %s", auth.ErrDenied, r.Claim)
		}
	}
	name, err := l.name(c)
	if err != nil {
		return auth.Person{}, err
	}
	groups, err := l.groups(c)
	if err != nil {
		return auth.Person{}, err
	}
	return auth.Person{
		Provider: l.o.Issuer,
		Subject:  c.subject(),
		Name:     name,
		Groups:   groups,
		Admin:    l.o.AdminGroup != "" && slices.Contains(groups, l.o.AdminGroup),
	}, nil
}

func (l *Login) name(c claims) (string, error) {
	if l.o.NameClaim == claimEmail && !slices.Contains(c.texts(claimVerified), "true") {
		return "", fmt.Errorf("%w: the provider of identities has not verified your address", auth.ErrDenied)
	}
	texts := c.texts(l.o.NameClaim)
	if len(texts) != 1 {
		return "", fmt.Errorf("%w: the provider of identities does not say your name (%s)", auth.ErrDenied, l.o.NameClaim)
	}
	name, _, _ := strings.Cut(strings.ToLower(texts[0]), "@")
	if err := auth.CheckName(name); err != nil {
		return "", fmt.Errorf("%w: your name there is %.80q, and %w", auth.ErrDenied, name, err)
	}
	return name, nil
}

// groups returns the groups, sorted. What no grant can name is left out; a
// group that is left out because there are too many could be one that denies.
func (l *Login) groups(c claims) ([]string, error) {
	if l.o.GroupsClaim == "" {
		return nil, nil
	}
	groups := slices.DeleteFunc(c.texts(l.o.GroupsClaim), func(g string) bool { return auth.CheckGroup(g) != nil })
	slices.Sort(groups)
	groups = slices.Compact(groups)
	if len(groups) > auth.MaxGroups {
		return nil, fmt.Errorf("%w: the provider of identities has too many groups for you: %d, of %d at most", auth.ErrDenied, len(groups), auth.MaxGroups)
	}
	return groups, nil
}
