package personal_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/personal"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/metadata/bolt"
)

var start = time.Unix(1_700_000_000, 0).UTC()

var errStore = errors.New("the store is down")

// rows is the store: embedded, its name must not be that of a method.
type rows interface{ metadata.Tokens }

// counted counts what reaches the store, and fails if it is told to.
type counted struct {
	rows
	reads, updates atomic.Int64
	fails          atomic.Bool
}

func (c *counted) Token(ctx context.Context, id string) (metadata.Token, error) {
	c.reads.Add(1)
	if c.fails.Load() {
		return metadata.Token{}, errStore
	}
	return c.rows.Token(ctx, id)
}

func (c *counted) UpdateToken(ctx context.Context, id string, change func(*metadata.Token) error) error {
	c.updates.Add(1)
	return c.rows.UpdateToken(ctx, id, change)
}

// people are the owners there are.
type people map[string]auth.Principal

func (p people) Owner(_ context.Context, name string) (auth.Principal, error) {
	if name == "leaving" {
		defer delete(p, name)
	}
	if name == "broken" {
		return auth.Principal{}, errStore
	}
	who, ok := p[name]
	if !ok {
		return auth.Principal{}, auth.ErrBadCredentials
	}
	return who, nil
}

type stack struct {
	*testing.T
	tokens *personal.Tokens
	store  *counted
	people people
}

func setup(t *testing.T) *stack {
	t.Helper()
	store, err := bolt.Open(filepath.Join(t.TempDir(), "berth.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{T: t, store: &counted{rows: store}, people: people{
		"alice": {Kind: auth.User, Name: "alice", Groups: []string{"dev"}},
		"bob":   {Kind: auth.User, Name: "bob"},
		"root":  {Kind: auth.User, Name: "root", Admin: true},
	}}
	s.tokens = personal.New(s.store, s.people)
	t.Cleanup(func() {
		if err := errors.Join(s.tokens.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *stack) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *stack) add(n personal.NewToken) (string, personal.Token) {
	s.Helper()
	token, made, err := s.tokens.Add(s.Context(), n, start)
	s.must(err)
	return token, made
}

func (s *stack) login(name, secret string, now time.Time, want error) auth.Principal {
	s.Helper()
	p, err := s.tokens.Login(s.Context(), auth.Credentials{Name: name, Secret: secret}, now)
	if !errors.Is(err, want) || (want == nil) != (err == nil) {
		s.Errorf("%s %.20s: %v, want %v", name, secret, err, want)
	}
	if err != nil && !reflect.DeepEqual(p, auth.Principal{}) {
		s.Errorf("a principal beside an error: %+v", p)
	}
	return p
}

func TestLogin(t *testing.T) {
	s := setup(t)
	whole, made := s.add(personal.NewToken{Owner: "alice", Name: "laptop"})
	narrow, _ := s.add(personal.NewToken{Owner: "alice", Name: "ci", Rules: []string{"team/**:pull", "${user}/**:push,pull"}})
	admins, _ := s.add(personal.NewToken{Owner: "root", Name: "backup", Rules: []string{"**:pull"}})
	if !strings.HasPrefix(whole, "berth_pat_"+made.ID+"_") || len(whole) != len("berth_pat_")+16+1+40 || len(made.ID) != 16 {
		t.Errorf("%q %q", whole, made.ID)
	}
	p := s.login("alice", whole, start, nil)
	if !reflect.DeepEqual(p, auth.Principal{Kind: auth.User, Name: "alice", Groups: []string{"dev"}, Credential: made.ID}) {
		t.Errorf("%+v", p)
	}
	p = s.login("alice", narrow, start, nil)
	if !p.Narrowed || strings.Join(auth.RuleTexts(p.Within), " ") != "team/**:pull ${user}/**:pull,push" || p.Own != nil {
		t.Errorf("%+v", p)
	}
	if p = s.login("root", admins, start, nil); !p.Narrowed || p.Administers() {
		t.Errorf("%+v", p)
	}
	if p, err := s.tokens.Redeem(t.Context(), whole, netip.Addr{}, start); err != nil || p.Name != "alice" {
		t.Errorf("without a name: %+v %v", p, err)
	}
	id, key := whole[len("berth_pat_"):][:16], whole[len(whole)-40:]
	for _, tc := range [][2]string{
		{"bob", whole}, {"", whole}, {"Alice", whole}, {"robot$alice", whole},
		{"alice", whole + "a"}, {"alice", whole[:len(whole)-1]}, {"alice", strings.ToUpper(whole)}, {"alice", whole + "\n"}, {"alice", " " + whole},
		{"alice", "berth_pat_"}, {"alice", "berth_pat_" + id}, {"alice", "berth_pat_" + id + "_"}, {"alice", "berth_pat__" + key},
		{"alice", "berth_pat_" + id + "_" + narrow[len(narrow)-40:]}, // another token's secret
		{"alice", "berth_pat_" + strings.Repeat("a", 16) + "_" + key},
		{"alice", "berth_pat_" + strings.Repeat("\x00", 16) + "_" + key},
		{"alice", "berth_pat_" + id + "_" + key + "_" + key},
	} {
		s.login(tc[0], tc[1], start, auth.ErrBadCredentials)
	}
}

// TestLoginFollowsTheOwner: groups and the administrator's mark are those of
// now, and without the owner there is nothing.
func TestLoginFollowsTheOwner(t *testing.T) {
	s := setup(t)
	token, made := s.add(personal.NewToken{Owner: "root", Name: "x"})
	if p := s.login("root", token, start, nil); !p.Administers() {
		t.Errorf("%+v", p)
	}
	s.people["root"] = auth.Principal{Kind: auth.User, Name: "root", Groups: []string{"was"}}
	if p := s.login("root", token, start, nil); p.Administers() || p.Groups[0] != "was" || p.Credential != made.ID {
		t.Errorf("%+v", p)
	}
	delete(s.people, "root")
	s.login("root", token, start, auth.ErrBadCredentials)
}

func TestLoginIsRevoked(t *testing.T) {
	s := setup(t)
	token, made := s.add(personal.NewToken{Owner: "alice", Name: "x", Expires: start.Add(time.Hour)})
	other, _ := s.add(personal.NewToken{Owner: "alice", Name: "y"})
	p := s.login("alice", token, start.Add(time.Hour-1), nil)
	s.login("alice", token, start.Add(time.Hour), auth.ErrBadCredentials)
	s.must(s.tokens.Standing(t.Context(), p, start.Add(time.Hour-1)))
	if err := s.tokens.Standing(t.Context(), p, start.Add(time.Hour)); !errors.Is(err, auth.ErrInvalidToken) {
		t.Errorf("expired: %v", err)
	}
	for _, owner := range []string{"bob", "alic"} {
		if err := s.tokens.Revoke(t.Context(), made.ID, owner); !errors.Is(err, personal.ErrNotFound) {
			t.Errorf("revoked by %s: %v", owner, err)
		}
	}
	s.must(s.tokens.Revoke(t.Context(), made.ID, "alice"))
	s.login("alice", token, start, auth.ErrBadCredentials)
	if err := s.tokens.Standing(t.Context(), p, start); !errors.Is(err, auth.ErrInvalidToken) {
		t.Errorf("revoked: %v", err)
	}
	if err := s.tokens.Revoke(t.Context(), made.ID, ""); !errors.Is(err, personal.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	s.login("alice", other, start, nil)
	s.store.fails.Store(true)
	s.login("alice", other, start, errStore)
}

func TestStanding(t *testing.T) {
	s := setup(t)
	token, made := s.add(personal.NewToken{Owner: "alice", Name: "x", Rules: []string{"a:pull"}})
	p := s.login("alice", token, start, nil)
	before := s.store.reads.Load()
	for range 100 {
		s.must(s.tokens.Standing(t.Context(), p, start))
	}
	if n := s.store.reads.Load() - before; n != 1 {
		t.Errorf("%d reads", n)
	}
	for name, change := range map[string]func(*auth.Principal){
		"of another":   func(p *auth.Principal) { p.Name = "bob" },
		"not narrowed": func(p *auth.Principal) { p.Narrowed = false },
		"another id":   func(p *auth.Principal) { p.Credential = "x" },
	} {
		q := p
		change(&q)
		if err := s.tokens.Standing(t.Context(), q, start); !errors.Is(err, auth.ErrInvalidToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.must(s.store.RemoveToken(t.Context(), made.ID)) // by another process
	if err := s.tokens.Standing(t.Context(), p, start.Add(10*time.Second)); !errors.Is(err, auth.ErrInvalidToken) {
		t.Errorf("revoked elsewhere: %v", err)
	}
	s.store.fails.Store(true)
	if err := s.tokens.Standing(t.Context(), p, start.Add(time.Minute)); !errors.Is(err, errStore) {
		t.Errorf("the store down: %v", err)
	}
}

func TestAddRefuses(t *testing.T) {
	s := setup(t)
	s.add(personal.NewToken{Owner: "alice", Name: "taken"})
	for _, tc := range []struct {
		owner, name, rules string
		expires            time.Time
		want               error
	}{
		{"alice", "taken", "", time.Time{}, personal.ErrExists},
		{"bob", "taken", "", time.Time{}, nil},
		{"nobody", "x", "", time.Time{}, personal.ErrNoOwner},
		{"broken", "x", "", time.Time{}, errStore},
		{"alice", "", "", time.Time{}, personal.ErrInvalid},
		{"alice", " x", "", time.Time{}, personal.ErrInvalid},
		{"alice", "x\n", "", time.Time{}, personal.ErrInvalid},
		{"alice", strings.Repeat("x", 65), "", time.Time{}, personal.ErrInvalid},
		{"alice", "x", "team", time.Time{}, personal.ErrInvalid},
		{"alice", "x", "team:admin", time.Time{}, personal.ErrInvalid},
		{"alice", "x", strings.Repeat("a:pull ", auth.MaxRules+1), time.Time{}, personal.ErrInvalid},
		{"alice", "x", "", start, personal.ErrInvalid},
	} {
		token, _, err := s.tokens.Add(t.Context(), personal.NewToken{Owner: tc.owner, Name: tc.name, Rules: strings.Fields(tc.rules), Expires: tc.expires}, start)
		if !errors.Is(err, tc.want) || (token == "") != (tc.want != nil) {
			t.Errorf("%q %q %q: %v, want %v", tc.owner, tc.name, tc.rules, err, tc.want)
		}
	}
	for i := range personal.MaxTokens - 1 {
		s.add(personal.NewToken{Owner: "alice", Name: fmt.Sprint(i)})
	}
	if _, _, err := s.tokens.Add(t.Context(), personal.NewToken{Owner: "alice", Name: "one too many"}, start); !errors.Is(err, personal.ErrTooMany) {
		t.Error(err)
	}
}

// TestAddWhileTheOwnerGoes leaves no token for whoever gets the name later.
func TestAddWhileTheOwnerGoes(t *testing.T) {
	s := setup(t)
	s.people["leaving"] = auth.Principal{Kind: auth.User, Name: "leaving"} // is there the first time that one looks
	if token, _, err := s.tokens.Add(t.Context(), personal.NewToken{Owner: "leaving", Name: "x"}, start); !errors.Is(err, personal.ErrNoOwner) || token != "" {
		t.Errorf("%q %v", token, err)
	}
	for got, err := range s.tokens.List(t.Context(), "leaving", "") {
		t.Errorf("left: %+v %v", got, err)
	}
}

// TestList shows everything but the secret, and when it was used: written
// once in an hour, behind the answer.
func TestList(t *testing.T) {
	s := setup(t)
	token, a := s.add(personal.NewToken{Owner: "alice", Name: "x", Rules: []string{"a:push,pull"}, Expires: start.Add(24 * time.Hour)})
	_, b := s.add(personal.NewToken{Owner: "bob", Name: "y"})
	for i := range 100 {
		s.login("alice", token, start.Add(time.Duration(i)*time.Second), nil)
	}
	s.must(s.tokens.Close())
	if n := s.store.updates.Load(); n != 1 {
		t.Errorf("%d writes for a hundred logins", n)
	}
	a.Used = start
	want := map[string]personal.Token{a.ID: a, b.ID: b}
	if a.Rules[0] != "a:pull,push" || a.Owner != "alice" || a.Name != "x" || !a.Created.Equal(start) || b.Rules != nil {
		t.Errorf("%+v %+v", a, b)
	}
	for owner, n := range map[string]int{"": 2, "alice": 1, "bob": 1, "nobody": 0} {
		for got, err := range s.tokens.List(t.Context(), owner, "") {
			s.must(err)
			if n--; !reflect.DeepEqual(got, want[got.ID]) {
				t.Errorf("\n got %+v\nwant %+v", got, want[got.ID])
			}
		}
		if n != 0 {
			t.Errorf("%d tokens too few of %q", n, owner)
		}
	}
}

// FuzzToken: nothing but the token itself logs in.
func FuzzToken(f *testing.F) {
	store, err := bolt.Open(filepath.Join(f.TempDir(), "berth.db"), bolt.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = store.Close() })
	tokens := personal.New(store, people{"alice": {Kind: auth.User, Name: "alice"}})
	token, _, err := tokens.Add(context.Background(), personal.NewToken{Owner: "alice", Name: "x"}, start)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"", "berth_pat_", "berth_pat__", "berth_pat_aaaaaaaaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", token, token + "\n", strings.ToUpper(token), token[:30]} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := tokens.Redeem(t.Context(), s, netip.Addr{}, start); (err == nil) != (s == token) || err != nil && !errors.Is(err, auth.ErrBadCredentials) {
			t.Errorf("%q: %v %v", s, p, err)
		}
	})
}
