package account_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/metadata"
	"golang.org/x/crypto/bcrypt"
)

func TestOwner(t *testing.T) {
	a, m := setup(t, account.Options{})
	for name, password := range map[string]string{"alice": "alice-password", "root": "root-password", "ci": "ci-password"} {
		p, err := a.Owner(t.Context(), name)
		if want := login(t, a, name, password, nil); err != nil || !reflect.DeepEqual(p, want) {
			t.Errorf("%+v %v, want %+v", p, err, want)
		}
	}
	for _, name := range []string{"nobody", "", "robot$ci", "Alice"} {
		if p, err := a.Owner(t.Context(), name); !errors.Is(err, auth.ErrBadCredentials) || p.Kind != auth.Anonymous {
			t.Errorf("%q: %+v %v", name, p, err)
		}
	}
	m.change(func() { m.fails = errStore })
	if _, err := a.Owner(t.Context(), "alice"); !errors.Is(err, errStore) {
		t.Error(err)
	}
}

// TestBond: what is bound to a user ends with the password and with the user,
// whoever gets the name or the same password later.
func TestBond(t *testing.T) {
	a, m := setup(t, account.Options{})
	bond := func(name string) string {
		t.Helper()
		_, b, err := a.Bond(t.Context(), name)
		if err != nil || len(b) < 20 {
			t.Fatalf("%s: %q %v", name, b, err)
		}
		return b
	}
	seen := map[string]bool{}
	fresh := func(what, name string) {
		t.Helper()
		b := bond(name)
		if seen[b] || b != bond(name) {
			t.Errorf("%s: %q is not new, or does not stay", what, b)
		}
		seen[b] = true
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	fresh("alice", "alice")
	must(a.SetGroups(t.Context(), "alice", []string{"other"}))
	if !seen[bond("alice")] {
		t.Error("groups are no reason to log in anew")
	}
	must(a.SetPassword(t.Context(), "alice", "alice-password", start))
	fresh("the same password, set again", "alice")
	must(a.Remove(t.Context(), "alice"))
	must(a.Add(t.Context(), "alice", "alice-password", false, nil, start))
	fresh("another alice", "alice")
	fresh("a static user", "ci")
	must(a.SetStatic([]metadata.User{{Name: "ci", Bcrypt: hashed(t, "ci-password", bcrypt.MinCost)}}))
	fresh("a static user with another hash", "ci")
	if err := m.AddUser(t.Context(), metadata.User{Name: "passwordless"}); err != nil {
		t.Fatal(err)
	}
	if p, b, err := a.Bond(t.Context(), "passwordless"); b != "" || err != nil || p.Name != "passwordless" {
		t.Errorf("%+v %q %v", p, b, err)
	}
	login(t, a, "passwordless", "", auth.ErrBadCredentials)
}

func TestSetGroups(t *testing.T) {
	a, m := setup(t, account.Options{})
	token := login(t, a, "alice", "alice-password", nil).WithToken(nil, start)
	if err := a.Standing(t.Context(), token, start); err != nil {
		t.Fatal(err)
	}
	if err := a.SetGroups(t.Context(), "alice", []string{"ops", "qa"}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(login(t, a, "alice", "alice-password", nil).Groups, " "); got != "ops qa" {
		t.Errorf("groups %s: they replace and do not add", got)
	}
	if err := a.Standing(t.Context(), token, start); !errors.Is(err, auth.ErrInvalidToken) {
		t.Errorf("a token of the group that was left: %v", err)
	}
	for _, tc := range []struct {
		name   string
		groups []string
		want   error
	}{
		{"ci", []string{"x"}, account.ErrStatic},
		{"nobody", nil, account.ErrNotFound},
		{"alice", []string{" x"}, account.ErrInvalid},
		{"alice", make([]string, auth.MaxGroups+1), account.ErrInvalid},
		{"alice", nil, nil},
	} {
		if err := a.SetGroups(t.Context(), tc.name, tc.groups); !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
			t.Errorf("%s %v: %v, want %v", tc.name, tc.groups, err, tc.want)
		}
	}
	if u := m.users["alice"]; len(u.Groups) != 0 || !u.Changed.Equal(start) {
		t.Errorf("%+v", u)
	}
}
