package account_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/metadata"
)

const issuer = "https://id.example.org"

func person(name string, groups ...string) auth.Person {
	return auth.Person{Provider: issuer, Subject: "subject-of-" + name, Name: name, Groups: groups}
}

func admit(t testing.TB, a *account.Accounts, p auth.Person, want error) auth.Principal {
	t.Helper()
	who, err := a.Admit(t.Context(), p, start)
	if !errors.Is(err, want) || (want == nil) != (err == nil) {
		t.Errorf("%+v: %v, want %v", p, err, want)
	}
	return who
}

// A person is a user like others, but for the password.
func TestAdmit(t *testing.T) {
	a, m := setup(t, account.Options{})
	want := auth.Principal{Kind: auth.User, Name: "eve", Groups: []string{"dev"}}
	for range 2 { // new, known
		if who := admit(t, a, person("eve", "dev"), nil); !reflect.DeepEqual(who, want) {
			t.Errorf("%+v, want %+v", who, want)
		}
	}
	if got, want := m.users["eve"], (metadata.User{Name: "eve", Groups: []string{"dev"}, Provider: issuer, Subject: "subject-of-eve", Created: start, Changed: start}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if err := a.Standing(t.Context(), want, start); err != nil {
		t.Error(err)
	}
	for _, password := range []string{"", "eve-password", "$2a$04$"} {
		login(t, a, "eve", password, auth.ErrBadCredentials)
	}
	if err := a.SetPassword(t.Context(), "eve", "eve-password", start); !errors.Is(err, account.ErrProvided) {
		t.Error(err)
	}
	login(t, a, "eve", "eve-password", auth.ErrBadCredentials)
	if err := a.Remove(t.Context(), "eve"); err != nil {
		t.Error(err)
	}
	if err := a.Standing(t.Context(), want, start); !errors.Is(err, auth.ErrInvalidToken) {
		t.Error(err)
	}
}

// Groups and the administrator's mark are what the provider says now, and what
// a token says of them counts no more at once (CVE-2025-23208).
func TestGroupsOfAPersonAreReplaced(t *testing.T) {
	a, m := setup(t, account.Options{})
	p := person("eve", "dev", "ops")
	p.Admin = true
	before := admit(t, a, p, nil)
	if !before.Admin || a.Standing(t.Context(), before, start) != nil {
		t.Errorf("%+v", before)
	}
	for _, groups := range [][]string{{"dev"}, nil, {"new"}} {
		if who := admit(t, a, person("eve", groups...), nil); who.Admin || !slices.Equal(who.Groups, groups) {
			t.Errorf("%+v, want %q", who, groups)
		}
		if u := m.users["eve"]; u.Admin || !slices.Equal(u.Groups, groups) {
			t.Errorf("stored %+v, want %q", u, groups)
		}
		if err := a.Standing(t.Context(), before, start); !errors.Is(err, auth.ErrInvalidToken) {
			t.Errorf("what was got before goes on: %v", err)
		}
	}
}

// When somebody came by a browser is known; who comes every minute costs no
// write.
func TestLastLogin(t *testing.T) {
	a, m := setup(t, account.Options{})
	later := start.Add(time.Hour)
	byName := auth.Person{Provider: auth.ProviderLDAP, Name: "bob"}
	for p, want := range map[*auth.Person]time.Time{new(person("eve")): later, &byName: start} {
		admit(t, a, *p, nil)
		if _, err := a.Admit(t.Context(), *p, later); err != nil {
			t.Fatal(err)
		}
		if u := m.users[p.Name]; !u.Changed.Equal(want) || !u.Created.Equal(start) {
			t.Errorf("%+v", u)
		}
	}
}

// Nobody gets an account that is somebody else's, by whatever name.
func TestNamesAreNotTaken(t *testing.T) {
	a, m := setup(t, account.Options{Reserved: []string{"quay.io"}})
	admit(t, a, person("eve"), nil)
	admit(t, a, auth.Person{Provider: auth.ProviderLDAP, Name: "mallory"}, nil)
	before := fmt.Sprint(m.users)
	for _, p := range []auth.Person{
		{Provider: issuer, Subject: "x", Name: "alice"}, // a stored user
		{Provider: auth.ProviderLDAP, Name: "alice"},    //
		{Name: "alice"}, // of no provider
		{Provider: issuer, Subject: "x", Name: "root", Admin: true},                     // an administrator
		{Provider: issuer, Subject: "x", Name: "ci"},                                    // a static user
		{Provider: issuer, Subject: "x", Name: "eve"},                                   // another subject
		{Provider: issuer, Name: "eve"},                                                 // none
		{Provider: "https://other.example.org", Subject: "subject-of-eve", Name: "eve"}, // another issuer
		{Provider: auth.ProviderLDAP, Name: "eve"},                                      //
		{Provider: auth.ProviderCertificate, Name: "mallory"},                           //
		{Provider: issuer, Subject: "x", Name: "quay.io"},
		{Provider: issuer, Subject: "x", Name: "library"},
		{Provider: issuer, Subject: "x", Name: "**"},
		{Provider: issuer, Subject: "x", Name: ""},
		{Provider: issuer, Subject: "x", Name: "new", Groups: []string{" "}},
		{Provider: issuer, Subject: "x", Name: "new", Groups: make([]string, auth.MaxGroups+1)},
		{Provider: issuer, Subject: "subject-of-eve", Name: "eve", Groups: []string{""}},
	} {
		if who := admit(t, a, p, auth.ErrDenied); who.Kind != auth.Anonymous {
			t.Errorf("%+v is %+v", p, who)
		}
	}
	if after := fmt.Sprint(m.users); after != before {
		t.Errorf("changed to %s", after)
	}
}

// Who is known by a subject stays who it is under another name, and who gets
// the name that is free at the provider gets nothing here.
func TestRenamedPerson(t *testing.T) {
	a, m := setup(t, account.Options{})
	admit(t, a, person("eve", "dev"), nil)
	renamed := person("eve", "ops")
	renamed.Name = "eva"
	if who := admit(t, a, renamed, nil); who.Name != "eve" || !slices.Equal(who.Groups, []string{"ops"}) {
		t.Errorf("%+v", who)
	}
	renamed.Name = "alice" // the name of somebody else here
	if who := admit(t, a, renamed, nil); who.Name != "eve" {
		t.Errorf("%+v", who)
	}
	admit(t, a, auth.Person{Provider: issuer, Subject: "another", Name: "eve"}, auth.ErrDenied)
	if len(m.users) != 3 {
		t.Errorf("%v", m.users)
	}
}

func TestFirstLoginTwiceAtOnce(t *testing.T) {
	a, m := setup(t, account.Options{})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if who := admit(t, a, person("eve", "dev"), nil); who.Name != "eve" {
				t.Errorf("%+v", who)
			}
		})
	}
	all.Wait()
	if len(m.users) != 3 {
		t.Errorf("%v", m.users)
	}
}

func TestLocal(t *testing.T) {
	a, m := setup(t, account.Options{})
	admit(t, a, person("eve"), nil)
	for name, want := range map[string]bool{"alice": true, "ci": true, "eve": false, "nobody": false, "": false, "a/b": false, "**": false} {
		if local, err := a.Local(t.Context(), name); err != nil || local != want {
			t.Errorf("%q: %t %v", name, local, err)
		}
	}
	if u, err := a.Find(t.Context(), "eve"); err != nil || u.Provider != issuer {
		t.Errorf("%+v %v", u, err)
	}
	m.change(func() { m.fails = errors.New("down") })
	if _, err := a.Local(t.Context(), "alice"); err == nil {
		t.Error("a store that is down knows nobody")
	}
	admit(t, a, person("eve"), m.fails)
}
