package auth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
)

// here is where every request of these tests comes from.
var here = netip.MustParseAddr("192.0.2.7")

var start = time.Unix(1_700_000_000, 0)

var errStore = errors.New("the store is down")

// fake knows one token and one user, and that now is start.
type fake struct{}

func (fake) Verify(raw string, now time.Time) (auth.Principal, error) {
	if raw != "good" || !now.Equal(start) {
		return auth.Principal{}, auth.ErrInvalidToken
	}
	return user("alice").WithToken(nil, start), nil
}

func (fake) Login(_ context.Context, c auth.Credentials, now time.Time) (auth.Principal, error) {
	if c.Name == "broken" {
		return auth.Principal{}, errStore
	}
	if c.Name != "alice" || c.Secret != "pa:ss" || c.Client != here || !now.Equal(start) {
		return auth.Principal{}, auth.ErrBadCredentials
	}
	return user("alice"), nil
}

func (fake) Redeem(_ context.Context, token string, client netip.Addr, now time.Time) (auth.Principal, error) {
	if token != "berth_pat_good" || client != here || !now.Equal(start) {
		return auth.Principal{}, auth.ErrBadCredentials
	}
	return user("alice"), nil
}

func basic(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }

func TestAuthenticate(t *testing.T) {
	a := auth.Authenticator{
		Tokens: fake{}, Accounts: fake{}, Now: func() time.Time { return start },
		Client: func(*http.Request) netip.Addr { return here },
	}
	for _, tc := range []struct {
		name   string
		header []string
		id     string
		err    error
	}{
		{"none", nil, "", auth.ErrNoCredentials},
		{"empty", []string{""}, "", auth.ErrNoCredentials},
		{"blank", []string{"   "}, "", auth.ErrNoCredentials},
		{"bearer", []string{"Bearer good"}, "user:alice", nil},
		{"bearer, any case", []string{"bEARER   good "}, "user:alice", nil},
		{"bearer, bad", []string{"Bearer bad"}, "", auth.ErrInvalidToken},
		{"bearer, empty", []string{"Bearer"}, "", auth.ErrInvalidToken},
		{"basic", []string{basic("alice:pa:ss")}, "user:alice", nil},
		{"basic, any case", []string{"bAsIc" + basic("alice:pa:ss")[5:]}, "user:alice", nil},
		{"basic, wrong", []string{basic("alice:no")}, "", auth.ErrBadCredentials},
		{"basic, no name", []string{basic(":x")}, "", auth.ErrBadCredentials},
		{"basic, no password", []string{basic("alice:")}, "", auth.ErrBadCredentials},
		{"basic, empty pair", []string{basic(":")}, "", auth.ErrNoCredentials},
		{"basic, empty", []string{"Basic "}, "", auth.ErrNoCredentials},
		{"basic, no colon", []string{basic("alice")}, "", auth.ErrMalformed},
		{"basic, no base64", []string{"Basic !!!"}, "", auth.ErrMalformed},
		{"basic, control character", []string{basic("alice:a\nb")}, "", auth.ErrMalformed},
		{"basic, huge", []string{basic("a:" + strings.Repeat("b", 20_000))}, "", auth.ErrMalformed},
		{"store down", []string{basic("broken:x")}, "", errStore},
		{"another scheme", []string{"Negotiate abc"}, "", auth.ErrMalformed},
		{"a bare token", []string{"good"}, "", auth.ErrMalformed},
		{"several", []string{"Bearer good", "Bearer good"}, "", auth.ErrMalformed},
		{"several, one empty", []string{"", "Bearer good"}, "", auth.ErrMalformed},
	} {
		p, err := a.Authenticate(&http.Request{Header: http.Header{"Authorization": tc.header}})
		if !errors.Is(err, tc.err) || tc.err == nil && p.ID() != tc.id {
			t.Errorf("%s: %v %v, want %q %v", tc.name, p, err, tc.id, tc.err)
		}
		if err != nil && (p.Kind != auth.Anonymous || p.Token) {
			t.Errorf("%s: a principal beside an error: %v", tc.name, p)
		}
		if p.Client != here {
			t.Errorf("%s: the client is %v", tc.name, p.Client)
		}
	}
}

// TestBearerOfAPersonalToken is for where a name is no use.
func TestBearerOfAPersonalToken(t *testing.T) {
	a := auth.Authenticator{
		Tokens: fake{}, Personal: fake{}, Now: func() time.Time { return start },
		Client: func(*http.Request) netip.Addr { return here },
	}
	for bearer, want := range map[string]error{"berth_pat_good": nil, "berth_pat_bad": auth.ErrBadCredentials, "good": nil, "bad": auth.ErrInvalidToken} {
		p, err := a.Authenticate(&http.Request{Header: http.Header{"Authorization": {"Bearer " + bearer}}})
		if !errors.Is(err, want) || err == nil && p.ID() != "user:alice" {
			t.Errorf("%s: %v %v", bearer, p, err)
		}
	}
	a.Personal = nil
	if _, err := a.Authenticate(&http.Request{Header: http.Header{"Authorization": {"Bearer berth_pat_good"}}}); !errors.Is(err, auth.ErrInvalidToken) {
		t.Errorf("where it is not taken: %v", err)
	}
}

func TestAuthenticatorOfNothingRefuses(t *testing.T) {
	var a auth.Authenticator
	for header, want := range map[string]error{"Bearer good": auth.ErrInvalidToken, basic("alice:pa:ss"): auth.ErrBadCredentials} {
		if _, err := a.Authenticate(&http.Request{Header: http.Header{"Authorization": {header}}}); !errors.Is(err, want) {
			t.Errorf("%s: %v", header, err)
		}
	}
}

// Whatever a log is told to write of credentials, the secret is not in it.
func TestCredentialsShowNoSecret(t *testing.T) {
	c := auth.Credentials{Name: "alice", Secret: "hunter2", Client: here}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(format, c); strings.Contains(got, "hunter2") || strings.Contains(got, fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("%s: %s", format, got)
		}
	}
}

// FuzzBasic checks that decoding is the reverse of encoding and that errors
// show nothing of the secret.
func FuzzBasic(f *testing.F) {
	for _, s := range []string{"", "a:b", ":", "a:", ":b", "a:b:c", "a", "ä:ö", "a:\n", "a\x00:b", "\xff:\xff"} {
		f.Add(base64.StdEncoding.EncodeToString([]byte(s)))
	}
	f.Add("YQ")
	f.Add("====")
	f.Add("YTpi\n")
	f.Fuzz(func(t *testing.T, s string) {
		name, password, err := auth.ParseBasic(s)
		if err != nil {
			if !errors.Is(err, auth.ErrMalformed) || name != "" || password != "" || len(err.Error()) > 100 {
				t.Errorf("%q %q %v", name, password, err)
			}
			return
		}
		if strings.Contains(name, ":") || strings.ContainsAny(name+password, "\x00\r\n\x7f") {
			t.Errorf("%q %q", name, password)
		}
		again, secret, err := auth.ParseBasic(base64.StdEncoding.EncodeToString([]byte(name + ":" + password)))
		if err != nil || again != name || secret != password {
			t.Errorf("%q %q %v, want %q %q", again, secret, err, name, password)
		}
	})
}
