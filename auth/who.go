package auth

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/berth-registry/berth/oci"
)

// Who is the left side of a grant. The zero Who is nobody.
type Who struct {
	form  whoForm
	name  string       // * = any, of robots
	addrs netip.Prefix // of whoClient
}

type whoForm uint8

const (
	whoNobody whoForm = iota
	whoAnonymous
	whoAuthenticated
	whoUser
	whoGroup
	whoRobot
	whoIssuer
	whoClient
)

// ParseWho reads anonymous, authenticated (users and robots), user:NAME,
// group:NAME, robot:NAME, robot:* for all robots, issuer:WHO for all who are
// known by the tokens of an outside issuer, or an address range such as
// 10.0.0.0/8, which means everybody there.
func ParseWho(s string) (Who, error) {
	switch s {
	case "anonymous":
		return Who{form: whoAnonymous}, nil
	case "authenticated":
		return Who{form: whoAuthenticated}, nil
	case "robot:*":
		return Who{form: whoRobot, name: "*"}, nil
	}
	if addrs, err := netip.ParsePrefix(s); err == nil {
		return rangeWho(addrs)
	}
	form, name, _ := strings.Cut(s, ":")
	switch form {
	case "user":
		return namedWho(whoUser, name, checkComponent(form, name))
	case "group":
		return namedWho(whoGroup, name, CheckGroup(name))
	case "robot":
		return namedWho(whoRobot, name, checkComponent(form, name))
	case "issuer":
		return namedWho(whoIssuer, name, checkComponent(form, name))
	}
	return Who{}, fmt.Errorf("who is anonymous, authenticated, user:NAME, group:NAME, robot:NAME, issuer:WHO or an address range, not %q", s)
}

func namedWho(form whoForm, name string, err error) (Who, error) {
	if err != nil {
		return Who{}, err
	}
	return Who{form: form, name: name}, nil
}

// rangeWho refuses what would match other addresses than it seems to, or none.
func rangeWho(addrs netip.Prefix) (Who, error) {
	if addrs.Masked() != addrs || addrs.Addr().Is4In6() {
		return Who{}, fmt.Errorf("%s is no address range: it has bits behind its length, or is IPv4 written as IPv6", addrs)
	}
	return Who{form: whoClient, addrs: addrs}, nil
}

// checkComponent is CheckName without what new users are held to.
func checkComponent(form, name string) error {
	if !oci.ValidComponent(name) {
		return fmt.Errorf("%s: is followed by a name: lower-case letters and digits, with . _ - between them", form)
	}
	return nil
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
	case whoRobot:
		return "robot:" + w.name
	case whoIssuer:
		return "issuer:" + w.name
	case whoClient:
		return w.addrs.String()
	}
	return "nobody"
}

// Includes reports whether p is meant. Groups are those of users: what an
// outside issuer calls a group is none of here, and nobody is anonymous and in
// one. Of an address that is not known no range is meant.
func (w Who) Includes(p Principal) bool {
	switch w.form {
	case whoAnonymous:
		return p.Kind == Anonymous
	case whoAuthenticated:
		return p.Kind == User || p.Kind == Robot
	case whoUser:
		return p.Kind == User && p.Name == w.name
	case whoGroup:
		return p.Kind == User && slices.Contains(p.Groups, w.name)
	case whoRobot:
		return p.Kind == Robot && (w.name == "*" || p.Name == w.name)
	case whoIssuer:
		return p.Kind == Outside && p.issuer() == w.name
	case whoClient:
		return w.addrs.Contains(p.Client)
	}
	return false
}
