package auth

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berth-registry/berth/oci"
)

// Grant lets anyone of Who take Actions on any of Repositories, or denies it.
type Grant struct {
	Who          []Who
	Repositories []Pattern
	Actions      Actions
	Deny         bool
}

// ParseGrant reads a grant as the configuration has it (auth.grants).
func ParseGrant(who, repositories, actions []string, deny bool) (Grant, error) {
	g := Grant{Deny: deny}
	for _, s := range who {
		w, err := ParseWho(s)
		if err != nil {
			return Grant{}, err
		}
		g.Who = append(g.Who, w)
	}
	for _, s := range repositories {
		p, err := ParsePattern(s)
		if err != nil {
			return Grant{}, err
		}
		g.Repositories = append(g.Repositories, p)
	}
	var err error
	g.Actions, err = ParseActions(actions)
	return g, err
}

func (g Grant) String() string {
	verb := "may"
	if g.Deny {
		verb = "may not"
	}
	return fmt.Sprintf("%s %s %s on %s", list(g.Who), verb, g.Actions, list(g.Repositories))
}

func list[T fmt.Stringer](values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.String()
	}
	return strings.Join(texts, " ")
}

// matches reports whether the grant is about p and the repository.
func (g *Grant) matches(p Principal, repository string) bool {
	if !slices.ContainsFunc(g.Who, func(w Who) bool { return w.Includes(p) }) {
		return false
	}
	name := p.variable()
	return slices.ContainsFunc(g.Repositories, func(r Pattern) bool { return r.Match(repository, name) })
}

// issuer is the prefix by which the configuration calls the issuer of who is
// outside.
func (p Principal) issuer() string {
	who, _, _ := strings.Cut(p.Name, ":")
	return who
}

// variable is what ${user} stands for. A name that is no path component owns
// no namespace.
func (p Principal) variable() string {
	if p.Kind != User || !oci.ValidComponent(p.Name) {
		return ""
	}
	return p.Name
}
