package auth

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/berth-registry/berth/oci"
)

// Who is the left side of a grant. The zero Who is nobody.
type Who struct {
	form whoForm
	name string
}

type whoForm uint8

const (
	whoNobody whoForm = iota
	whoAnonymous
	whoAuthenticated
	whoUser
	whoGroup
)

// ParseWho reads anonymous, authenticated, user:NAME or group:NAME.
// ErrNotBuilt for robot:NAME and address ranges.
func ParseWho(s string) (Who, error) {
	switch s {
	case "anonymous":
		return Who{form: whoAnonymous}, nil
	case "authenticated":
		return Who{form: whoAuthenticated}, nil
	}
	form, name, _ := strings.Cut(s, ":")
	switch form {
	case "user":
		return namedWho(whoUser, name, checkComponent(name))
	case "group":
		return namedWho(whoGroup, name, CheckGroup(name))
	}
	return Who{}, errWho(s, form)
}

func namedWho(form whoForm, name string, err error) (Who, error) {
	if err != nil {
		return Who{}, err
	}
	return Who{form, name}, nil
}

// checkComponent is CheckName without what new users are held to.
func checkComponent(name string) error {
	if !oci.ValidComponent(name) {
		return errors.New("user: is followed by a user name")
	}
	return nil
}

func errWho(s, form string) error {
	if _, err := netip.ParsePrefix(s); err == nil {
		return fmt.Errorf("a grant to the address range %s: %w", s, ErrNotBuilt)
	}
	if form == "robot" {
		return fmt.Errorf("a grant to %q: %w", s, ErrNotBuilt)
	}
	return fmt.Errorf("who is anonymous, authenticated, user:NAME or group:NAME, not %q", s)
}

func (w Who) String() string {
	switch w.form {
	case whoAnonymous:
		return "anonymous"
	case whoAuthenticated:
		return "authenticated"
	case whoUser:
		return "user:" + w.name
	case whoGroup:
		return "group:" + w.name
	}
	return "nobody"
}

// includes reports whether p is meant. Groups count for principals that are
// known: nobody is anonymous and in a group.
func (w Who) includes(p Principal) bool {
	switch w.form {
	case whoAnonymous:
		return p.Kind == Anonymous
	case whoAuthenticated:
		return p.Kind == User
	case whoUser:
		return p.Kind == User && p.Name == w.name
	case whoGroup:
		return p.Kind == User && slices.Contains(p.Groups, w.name)
	}
	return false
}
