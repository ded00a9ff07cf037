package issuer_test

import (
	"crypto"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/issuer"
)

func TestPrepareRefuses(t *testing.T) {
	p, other := newProvider(t), newProvider(t)
	for name, tc := range map[string]struct {
		entries []issuer.Entry
		err     string
	}{
		"no issuer":               {[]issuer.Entry{p.identity(func(e *issuer.Entry) { e.Issuer = "" })}, "[0]: the issuer and the audience"},
		"no audience":             {[]issuer.Entry{p.identity(), p.identity(func(e *issuer.Entry) { e.Audience = "" })}, "[1]: the issuer and the audience"},
		"no who":                  {[]issuer.Entry{p.identity(func(e *issuer.Entry) { e.Who = "" })}, "who"},
		"who is a path":           {[]issuer.Entry{p.identity(func(e *issuer.Entry) { e.Who = "a:b" })}, "who"},
		"no kind":                 {[]issuer.Entry{p.identity(func(e *issuer.Entry) { e.Tokens = "" })}, "identity or registry"},
		"no claim":                {[]issuer.Entry{p.identity(func(e *issuer.Entry) { e.Require = nil })}, "a claim that is required"},
		"bad glob":                {[]issuer.Entry{p.identity(func(e *issuer.Entry) { e.Require = map[string]string{"a": "x**"} })}, "require a"},
		"bad template":            {[]issuer.Entry{p.identity(func(e *issuer.Entry) { e.Repositories = []string{"${user}/**"} })}, "${user}"},
		"bad action":              {[]issuer.Entry{p.identity(func(e *issuer.Entry) { e.Actions = []string{"admin"} })}, "an action is"},
		"one who for two issuers": {[]issuer.Entry{p.identity(), other.identity()}, "[1]: who stands for another issuer"},
		"two whos for one":        {[]issuer.Entry{p.identity(), p.registry(func(e *issuer.Entry) { e.Who = "x" })}, "[1]: entries about one issuer"},
		"two sources for one":     {[]issuer.Entry{p.identity(), p.registry(func(e *issuer.Entry) { e.JWKS = "" })}, "[1]: entries about one issuer"},
		"no file":                 {[]issuer.Entry{p.identity(func(e *issuer.Entry) { e.JWKS = "/nowhere/jwks.json" })}, "[0]: jwks"},
	} {
		if _, err := trust(t).Prepare(tc.entries); err == nil || !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s: %v, want %s", name, err, tc.err)
		}
	}
}

// A reload counts at once, also for what is remembered, and keeps keys that
// cannot be had again.
func TestReload(t *testing.T) {
	p := newProvider(t)
	i := trust(t, p.identity())
	raw := p.sign("EdDSA", nil)
	before, err := login(t, i, raw)
	if err != nil || i.Standing(t.Context(), before, start) != nil {
		t.Fatal(err)
	}
	p.set(func() { p.private = map[string]crypto.Signer{} }) // the source fails from now on

	next, err := i.Prepare([]issuer.Entry{p.identity(func(e *issuer.Entry) { e.Repositories = []string{"other/**"} })})
	if err != nil {
		t.Fatal(err)
	}
	if who, err := login(t, i, raw); err != nil || may(who, "ci/octo/app/x") == 0 || i.Standing(t.Context(), before, start) != nil {
		t.Errorf("prepared and not in force: %+v %v", who, err)
	}
	i.Use(next)
	after, err := login(t, i, raw)
	if err != nil || may(after, "ci/octo/app/x") != 0 || may(after, "other/x") == 0 {
		t.Errorf("in force: %+v %v", after, err)
	}
	if err := i.Standing(t.Context(), before, start); !errors.Is(err, auth.ErrInvalidToken) {
		t.Errorf("by an entry that has changed: %v", err)
	}
	if err := i.Standing(t.Context(), after, start); err != nil {
		t.Errorf("by the new entry: %v", err)
	}
	if p.asked.Load() != 1 {
		t.Errorf("%d requests", p.asked.Load())
	}
	use(t, i)
	if who, err := login(t, i, raw); err == nil {
		t.Errorf("nobody is trusted, and there is %v", who)
	}
	if err := i.Standing(t.Context(), after, start); !errors.Is(err, auth.ErrInvalidToken) {
		t.Errorf("by an entry that is gone: %v", err)
	}
}

// Whoever came by several entries stands as long as all of them do, and nobody
// stands who came by none.
func TestStanding(t *testing.T) {
	p := newProvider(t)
	one, two := p.identity(), p.identity(func(e *issuer.Entry) { e.Repositories = []string{"two/**"} })
	i := trust(t, one, two)
	who, err := login(t, i, p.sign("EdDSA", nil))
	if err != nil || i.Standing(t.Context(), who, start) != nil {
		t.Fatal(who, err)
	}
	nobody := who
	nobody.Credential = ""
	user := who
	user.Kind = auth.User
	for _, q := range []auth.Principal{nobody, user, {}} {
		if err := i.Standing(t.Context(), q, start); !errors.Is(err, auth.ErrInvalidToken) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	use(t, i, two)
	if err := i.Standing(t.Context(), who, start); !errors.Is(err, auth.ErrInvalidToken) {
		t.Errorf("with half of its entries: %v", err)
	}
	use(t, i, two, one)
	if err := i.Standing(t.Context(), who, start); err != nil {
		t.Errorf("in another order: %v", err)
	}
}

// A remembered token is checked without an allocation, until it expires.
func TestRemembered(t *testing.T) {
	p := newProvider(t)
	i := trust(t, p.identity(), p.registry())
	raw := p.sign("RS256", nil)
	c, ctx := auth.Credentials{Secret: raw}, t.Context()
	bearers := issuer.Bearers{Own: new(own), Outside: i}
	check := func() {
		_, err1 := i.Login(ctx, c, start)
		_, err2 := bearers.Verify(raw, start)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
	}
	check()
	if n := testing.AllocsPerRun(100, check); n != 0 {
		t.Errorf("%v allocations", n)
	}
	for _, after := range []time.Duration{5 * time.Minute, time.Hour} {
		if err := at(t, i, raw, after); err == nil || !strings.HasSuffix(err.Error(), "expired") {
			t.Errorf("after %v: %v", after, err)
		}
	}
}

func BenchmarkVerifyRemembered(b *testing.B) {
	p := newProvider(b)
	bearers := issuer.Bearers{Own: new(own), Outside: trust(b, p.registry())}
	raw := p.sign("EdDSA", nil)
	if _, err := bearers.Verify(raw, start); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bearers.Verify(raw, start); err != nil {
			b.Fatal(err)
		}
	}
}
