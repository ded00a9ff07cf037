package ratelimit

import (
	"errors"
	"net/netip"
	"strings"
)

// Kind is what a Key counts.
type Kind uint8

// The kinds of keys.
const (
	Anybody Kind = iota // all whose address is not known, or for whom there is no room
	Address             // an IPv4 address or an IPv6 /64: whoever is anonymous there
	User
	Robot
	Outside // known by the token of an outside issuer
	kinds
)

// Kinds are how many kinds there are.
const Kinds = int(kinds)

func (k Kind) String() string {
	switch k {
	case Anybody, Address:
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

// Key is who is counted. The zero Key is Anybody.
type Key struct {
	kind Kind
	name string
	addr [16]byte // of an Address: its first bytes, an IPv4 one mapped
}

// Named is the key of a user, robot or outside principal.
func Named(k Kind, name string) Key { return Key{kind: k, name: name} }

// At is the key of who is anonymous at an address: an IPv6 client has the 2^64
// addresses of its /64.
func At(a netip.Addr) Key {
	if !a.IsValid() {
		return Key{}
	}
	k := Key{kind: Address, addr: a.As16()}
	if !a.Unmap().Is4() {
		clear(k.addr[8:])
	}
	return k
}

// Kind is what kind of key k is.
func (k Key) Kind() Kind { return k.kind }

// Addr is the address of an Address, of an IPv6 /64 the first one; otherwise
// the zero Addr.
func (k Key) Addr() netip.Addr {
	if k.kind != Address {
		return netip.Addr{}
	}
	return netip.AddrFrom16(k.addr).Unmap()
}

// Name is the name alone, or the address: what Docker Hub calls the source.
func (k Key) Name() string {
	switch k.kind {
	case Anybody:
		return "unknown"
	case Address:
		return k.Addr().String()
	}
	return k.name
}

// String is the text form: user:alice, robot:ci, outside:gitlab:42,
// 203.0.113.7, 2001:db8:1:2::/64, or anonymous for Anybody.
func (k Key) String() string {
	switch a := k.Addr(); {
	case k.kind == Anybody:
		return "anonymous"
	case k.kind != Address:
		return k.kind.String() + ":" + k.name
	case a.Is4():
		return a.String()
	default:
		return a.String() + "/64"
	}
}

// maxName bounds a name in bytes: that of an outside principal holds the
// subject of its token.
const maxName = 1024

var errKey = errors.New("a key is user:NAME, robot:NAME, outside:WHO:SUBJECT, an IPv4 address, or an IPv6 address or /64")

// ParseKey reads the text form. An IPv6 address without a length is its /64.
func ParseKey(s string) (Key, error) {
	if s == "anonymous" {
		return Key{}, nil
	}
	text, is64 := strings.CutSuffix(s, "/64")
	if a, err := netip.ParseAddr(text); err == nil {
		if a.Zone() != "" || is64 && a.Unmap().Is4() {
			return Key{}, errKey
		}
		return At(a), nil
	}
	form, name, _ := strings.Cut(s, ":")
	if name == "" || len(name) > maxName {
		return Key{}, errKey
	}
	for k := User; k < kinds; k++ {
		if form == k.String() {
			return Named(k, name), nil
		}
	}
	return Key{}, errKey
}
