package token_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/token"
	"github.com/golang-jwt/jwt/v5"
)

var errStore = errors.New("the store is down")

// bonds are users and what is bound to them.
type bonds map[string]string

func (b bonds) Bond(_ context.Context, name string) (auth.Principal, string, error) {
	if name == "broken" {
		return auth.Principal{}, "", errStore
	}
	bond, ok := b[name]
	if !ok {
		return auth.Principal{}, "", auth.ErrBadCredentials
	}
	return auth.Principal{Kind: auth.User, Name: name, Groups: []string{"now"}}, bond, nil
}

func newRefresher(t testing.TB, keys *token.Keys) (*token.Refresher, bonds) {
	users := bonds{"alice": "first", "bob": "other", "passwordless": ""}
	return &token.Refresher{Keys: keys, Issuer: issuer, Service: service, Users: users}, users
}

func refresh(t testing.TB, r *token.Refresher, name string) string {
	t.Helper()
	raw, err := r.Make(t.Context(), auth.Principal{Kind: auth.User, Name: name}, start)
	if err != nil || raw == "" {
		t.Fatalf("%q %v", raw, err)
	}
	return raw
}

// TestRefresh: reusable for 30 days, with the groups of now, and never longer
// than user and password last.
func TestRefresh(t *testing.T) {
	keys := load(t)
	r, users := newRefresher(t, keys)
	raw := refresh(t, r, "alice")
	whole := time.Unix(start.Unix(), 0).Add(token.RefreshFor)
	for _, tc := range []struct {
		name    string
		change  func()
		now     time.Time
		refused string
	}{
		{"at once", nil, start, ""},
		{"again", nil, start.Add(time.Hour), ""},
		{"a replica's clock", nil, start.Add(-time.Minute), ""},
		{"before it was", nil, start.Add(-2 * time.Minute), "not valid yet"},
		{"to its end", nil, whole.Add(-1), ""},
		{"after its end", nil, whole, "expired"},
		{"the password changed", func() { users["alice"] = "second" }, start, "the password has changed"},
		{"the same password again, in the store", func() { users["alice"] = "first" }, start, ""},
		{"the password taken away", func() { users["alice"] = "" }, start, "the password has changed"},
		{"removed", func() { delete(users, "alice") }, start, "there is no such user any more"},
	} {
		if tc.change != nil {
			tc.change()
		}
		p, err := r.Redeem(t.Context(), raw, tc.now)
		why := ""
		if errors.Is(err, auth.ErrBadCredentials) {
			why = strings.TrimPrefix(err.Error(), "log in again, the refresh token is refused: ")
		}
		if why != tc.refused || err != nil && why == "" {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.refused)
		}
		if err == nil && (p.ID() != "user:alice" || p.Groups[0] != "now" || p.Token || p.Admin) {
			t.Errorf("%s: %+v", tc.name, p)
		}
		if err != nil && p.Kind != auth.Anonymous {
			t.Errorf("%s: a principal beside an error: %+v", tc.name, p)
		}
	}
}

// TestRefreshIsForPasswords: nothing else that somebody can show becomes one.
func TestRefreshIsForPasswords(t *testing.T) {
	r, _ := newRefresher(t, load(t))
	user := auth.Principal{Kind: auth.User, Name: "alice"}
	personal, narrow := user, user
	personal.Credential, narrow.Narrowed = "id", true
	for name, p := range map[string]auth.Principal{
		"anonymous":      {},
		"robot":          {Kind: auth.Robot, Name: "alice"},
		"outside":        {Kind: auth.Outside, Name: "hub:alice"},
		"personal token": personal,
		"narrowed":       narrow,
		"a token":        user.WithToken(nil, start),
		"not stored":     {Kind: auth.User, Name: "ldap"},
		"no password":    {Kind: auth.User, Name: "passwordless"},
	} {
		if raw, err := r.Make(t.Context(), p, start); raw != "" || err != nil {
			t.Errorf("%s: %q %v", name, raw, err)
		}
	}
	if _, err := r.Make(t.Context(), auth.Principal{Kind: auth.User, Name: "broken"}, start); !errors.Is(err, errStore) {
		t.Errorf("the store down: %v", err)
	}
}

// TestRefreshIsNoOtherToken, and no other token is one.
func TestRefreshIsNoOtherToken(t *testing.T) {
	s := newSetting(t)
	keys := load(t, store(t, s.keys["EdDSA"]))
	r, _ := newRefresher(t, keys)
	raw := refresh(t, r, "alice")
	for _, aud := range []string{service, service + "/api", ""} {
		refuses(t, token.NewVerifier(keys, issuer, aud), "as a token for "+aud, raw, "")
	}
	header := map[string]any{"kid": s.ids["EdDSA"]}
	good := jwt.MapClaims{
		"iss": issuer, "sub": "alice", "aud": []string{service + "/refresh"}, "exp": start.Add(time.Hour).Unix(), "bond": "first",
	}
	if _, err := r.Redeem(t.Context(), forge(t, jwt.SigningMethodEdDSA, s.keys["EdDSA"], header, good), start); err != nil {
		t.Errorf("the forging is wrong: %v", err)
	}
	for name, change := range map[string]jwt.MapClaims{
		"a registry's token": {"aud": []string{service}},
		"an API token":       {"aud": []string{service + "/api"}},
		"another issuer":     {"iss": "other"},
		"no bond":            {"bond": nil},
		"an empty bond":      {"bond": ""},
		"the bond of others": {"bond": "other"},
		"bound to nothing":   {"sub": "passwordless", "bond": ""},
		"another user":       {"sub": "bob"},
		"nobody":             {"sub": ""},
		"no end":             {"exp": nil},
	} {
		c := jwt.MapClaims{}
		for _, m := range []jwt.MapClaims{good, change} {
			for k, v := range m {
				if c[k] = v; v == nil {
					delete(c, k)
				}
			}
		}
		if _, err := r.Redeem(t.Context(), forge(t, jwt.SigningMethodEdDSA, s.keys["EdDSA"], header, c), start); !errors.Is(err, auth.ErrBadCredentials) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, bad := range map[string]string{
		"empty": "", "cut": raw[:len(raw)-3], "huge": strings.Repeat("a", 1<<20),
		"unsigned":    forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, header, good),
		"another key": forge(t, jwt.SigningMethodES256, s.keys["ES256"], header, good),
	} {
		if _, err := r.Redeem(t.Context(), bad, start); !errors.Is(err, auth.ErrBadCredentials) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.Service = ""
	if _, err := r.Redeem(t.Context(), raw, start); !errors.Is(err, auth.ErrBadCredentials) {
		t.Errorf("unconfigured: %v", err)
	}
}
