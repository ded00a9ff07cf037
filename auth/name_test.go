package auth_test

import (
	"strings"
	"testing"

	"github.com/berth-registry/berth/auth"
)

func TestCheckName(t *testing.T) {
	good := []string{"a", "alice", "admin", "a.b", "a_b", "a__b", "a---b", "0", "users", strings.Repeat("a", 64)}
	bad := []string{
		"", "Alice", "a/b", "a.", "-a", "a..b", "a___b", "a b", "a:b", "robot$x", "a$b", "${user}", "*", "..", "é",
		"a\n", strings.Repeat("a", 65),
		"anonymous", "authenticated", "group", "issuer", "robot", "user", "library", "public",
	}
	for _, s := range good {
		if err := auth.CheckName(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range bad {
		if auth.CheckName(s) == nil {
			t.Errorf("%q is a user name", s)
		}
	}
}

func TestCheckGroup(t *testing.T) {
	for _, s := range []string{"ci", "CN=Dev Ops,DC=example", "/org/team", "Größe"} {
		if err := auth.CheckGroup(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", " a", "a ", "a\nb", "a\x00", "\xff", strings.Repeat("a", 256)} {
		if auth.CheckGroup(s) == nil {
			t.Errorf("%q is a group", s)
		}
	}
}

func TestCheckRobot(t *testing.T) {
	for _, s := range []string{"ci", "anonymous", "a-b", strings.Repeat("a", 64)} {
		if err := auth.CheckRobot(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", "robot$ci", "*", "Ci", "a/b", strings.Repeat("a", 65)} {
		if auth.CheckRobot(s) == nil {
			t.Errorf("%q is a robot", s)
		}
	}
}

func TestCheckOutside(t *testing.T) {
	for _, s := range []string{"github:repo:octo-org/octo-repo:ref:refs/heads/main", "a:b", "a:Größe", "a:" + strings.Repeat("b", 510)} {
		if err := auth.CheckOutside(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", ":", "a", "a:", ":b", "A:b", "a/b:c", "a:b\n", "a:\xff", "a:b\u202e", "a:" + strings.Repeat("b", 511)} {
		if auth.CheckOutside(s) == nil {
			t.Errorf("%q is an outside caller", s)
		}
	}
}
