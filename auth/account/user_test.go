package account_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/metadata"
	"golang.org/x/crypto/bcrypt"
)

func TestAdd(t *testing.T) {
	a, m := setup(t, account.Options{Reserved: []string{"docker.io"}})
	many := make([]string, 65)
	for i := range many {
		many[i] = fmt.Sprint("g", i)
	}
	for _, tc := range []struct {
		name, password string
		groups         []string
		want           error
	}{
		{"bob", "eight888", []string{"ci"}, nil},
		{"bob", "eight888", nil, account.ErrExists},
		{"alice", "eight888", nil, account.ErrExists},
		{"ci", "eight888", nil, account.ErrExists},
		{"umlaut", "äöüßäöüß", nil, nil},
		{"docker.io", "eight888", nil, account.ErrInvalid},
		{"library", "eight888", nil, account.ErrInvalid},
		{"Bob", "eight888", nil, account.ErrInvalid},
		{"a/b", "eight888", nil, account.ErrInvalid},
		{"", "eight888", nil, account.ErrInvalid},
		{"x", "seven77", nil, account.ErrInvalid},
		{"x", "äöüß", nil, account.ErrInvalid},
		{"x", "", nil, account.ErrInvalid},
		{"x", strings.Repeat("p", 73), nil, account.ErrInvalid},
		{"x", "with newline\n", nil, account.ErrInvalid},
		{"x", "eight888\x00", nil, account.ErrInvalid},
		{"x", "berth_pat_8", nil, account.ErrInvalid},
		{"x", "latin1-\xe4\xf6", nil, account.ErrInvalid},
		{"x", "eight888", []string{" ci"}, account.ErrInvalid},
		{"x", "eight888", many, account.ErrInvalid},
	} {
		err := a.Add(t.Context(), tc.name, tc.password, false, tc.groups, start)
		if !errors.Is(err, tc.want) || (tc.want == nil) != (err == nil) {
			t.Errorf("%q %q: %v, want %v", tc.name, tc.password, err, tc.want)
		}
		if err != nil && tc.password != "" && strings.Contains(err.Error(), tc.password) {
			t.Errorf("the error shows the password: %v", err)
		}
	}
	if _, ok := m.users["x"]; ok {
		t.Error("x was added")
	}
	bob := m.users["bob"]
	if cost, err := bcrypt.Cost([]byte(bob.Bcrypt)); err != nil || cost != bcrypt.MinCost || !bob.Created.Equal(start) || !bob.Changed.Equal(start) {
		t.Errorf("%+v %d %v", bob, cost, err)
	}
	login(t, a, "bob", "eight888", nil)
}

func TestSetPassword(t *testing.T) {
	a, m := setup(t, account.Options{})
	later := start.Add(time.Hour)
	for _, tc := range []struct {
		name, password string
		want           error
	}{
		{"alice", "new-password", nil},
		{"alice", "short", account.ErrInvalid},
		{"ci", "new-password", account.ErrStatic},
		{"nobody", "new-password", account.ErrNotFound},
		{"", "new-password", account.ErrNotFound},
	} {
		err := a.SetPassword(t.Context(), tc.name, tc.password, later)
		if !errors.Is(err, tc.want) || (tc.want == nil) != (err == nil) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
	if u := m.users["alice"]; !u.Changed.Equal(later) || !u.Created.Equal(start) || u.Groups[0] != "dev" {
		t.Errorf("%+v", u)
	}
}

func TestRemove(t *testing.T) {
	a, _ := setup(t, account.Options{})
	remove := func(name string, want error) {
		t.Helper()
		if err := a.Remove(t.Context(), name); !errors.Is(err, want) || (want == nil) != (err == nil) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	remove("ci", account.ErrStatic)
	remove("nobody", account.ErrNotFound)
	remove("root", account.ErrLastAdmin)
	if err := a.Add(t.Context(), "second", "second-password", true, nil, start); err != nil {
		t.Fatal(err)
	}
	remove("root", nil)
	remove("second", account.ErrLastAdmin)
	remove("alice", nil)
	remove("alice", account.ErrNotFound)
	static := []metadata.User{{Name: "ops", Bcrypt: hashed(t, "ops-password", 4), Admin: true}}
	if err := a.SetStatic(static); err != nil {
		t.Fatal(err)
	}
	remove("second", nil)
}

func TestList(t *testing.T) {
	a, m := setup(t, account.Options{})
	m.change(func() { m.users["ci"] = metadata.User{Name: "ci", Admin: true} })
	users, err := a.List(t.Context())
	want := "[{alice [dev] false false} {ci [builders] false true} {root [] true false}]"
	var short []any
	for _, u := range users {
		short = append(short, struct {
			Name          string
			Groups        []string
			Admin, Static bool
		}{u.Name, u.Groups, u.Admin, u.Static})
	}
	if fmt.Sprint(short) != want || err != nil {
		t.Errorf("%v %v\nwant %s", short, err, want)
	}
}

func TestErrorsOfTheStore(t *testing.T) {
	a, m := setup(t, account.Options{})
	m.change(func() { m.fails = errStore })
	_, listErr := a.List(t.Context())
	_, bootErr := a.Bootstrap(t.Context(), "", start)
	for name, err := range map[string]error{
		"add":       a.Add(t.Context(), "x", "x-password", false, nil, start),
		"password":  a.SetPassword(t.Context(), "alice", "x-password", start),
		"remove":    a.Remove(t.Context(), "alice"),
		"list":      listErr,
		"bootstrap": bootErr,
		"standing":  a.Standing(t.Context(), auth.Principal{Kind: auth.User, Name: "other"}, start),
	} {
		if !errors.Is(err, errStore) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStanding(t *testing.T) {
	a, m := setup(t, account.Options{})
	alice := login(t, a, "alice", "alice-password", nil)
	root := login(t, a, "root", "root-password", nil)
	ci := login(t, a, "ci", "ci-password", nil)
	check := func(p auth.Principal, after time.Duration, want error) {
		t.Helper()
		if err := a.Standing(t.Context(), p, start.Add(after)); !errors.Is(err, want) || (want == nil) != (err == nil) {
			t.Errorf("%s: %v, want %v", p.ID(), err, want)
		}
	}
	for _, p := range []auth.Principal{{}, alice, root, ci} {
		check(p, 0, nil)
	}
	before := m.reads.Load()
	check(alice, 5*time.Second, nil)
	if m.reads.Load() != before {
		t.Error("the answer was not remembered")
	}

	// Another replica takes a group and a right away: seen after 10 s.
	m.change(func() {
		u, r := m.users["alice"], m.users["root"]
		u.Groups, r.Admin = []string{"other"}, false
		m.users["alice"], m.users["root"] = u, r
	})
	check(alice, 10*time.Second-1, nil)
	check(alice, 10*time.Second, auth.ErrInvalidToken)
	check(root, 10*time.Second, auth.ErrInvalidToken)
	alice.Groups = nil
	check(alice, 11*time.Second, nil)

	// A removal here counts at once.
	if err := a.Remove(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	check(alice, 11*time.Second, auth.ErrInvalidToken)
	if err := a.SetStatic(nil); err != nil {
		t.Fatal(err)
	}
	check(ci, 0, auth.ErrInvalidToken)
}
