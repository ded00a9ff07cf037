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
		"anonymous", "authenticated", "group", "robot", "user", "library", "public",
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
