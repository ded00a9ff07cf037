package token_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/token"
)

var start = time.Unix(1_700_000_000, 123_456_789)

const (
	issuer  = "berth"
	service = "registry.example"
	ttl     = 5 * time.Minute
)

// kinds are the keys that are accepted.
func kinds(t testing.TB) map[string]crypto.Signer {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{"EdDSA": ed, "ES256": ec, "RS256": r}
}

// store writes a key as PKCS#8 and returns its file.
func store(t testing.TB, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "token.key")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t testing.TB, paths ...string) *token.Keys {
	t.Helper()
	if paths == nil {
		paths = []string{filepath.Join(t.TempDir(), "token.key")}
	}
	keys, err := token.Load(paths)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func newIssuer(keys *token.Keys) *token.Issuer {
	return &token.Issuer{Keys: keys, Issuer: issuer, Service: service, TTL: ttl}
}

func issue(t testing.TB, i *token.Issuer, p auth.Principal, access ...auth.Access) string {
	t.Helper()
	raw, _, err := i.Issue(p, access, start)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func alice() auth.Principal {
	return auth.Principal{Kind: auth.User, Name: "alice", Groups: []string{"ci", "CN=Dev Ops"}, Admin: true}
}

// callers are one of each kind of principal, with all that such a one has.
func callers(t testing.TB) []auth.Principal {
	t.Helper()
	rules, err := auth.ParseRules([]string{"team/**:pull,push", "x/*/y-*:*"})
	if err != nil {
		t.Fatal(err)
	}
	personal := alice()
	personal.Within, personal.Narrowed, personal.Credential = rules, true, "k3c7"
	return []auth.Principal{
		{}, alice(), {Kind: auth.User, Name: "bob"}, personal, {Kind: auth.User, Name: "bob", Narrowed: true},
		{Kind: auth.Robot, Name: "ci", Own: rules}, {Kind: auth.Outside, Name: "gitlab:project_path:a/b", Own: rules, Within: rules, Narrowed: true},
	}
}

func entries() []auth.Access {
	return []auth.Access{auth.Repository("a/b", auth.Pull|auth.Push), auth.Repository("c", auth.All), auth.Catalog()}
}

func TestRoundTrip(t *testing.T) {
	for alg, key := range kinds(t) {
		keys := load(t, store(t, key))
		v := token.NewVerifier(keys, issuer, service)
		for _, p := range callers(t) {
			for _, access := range [][]auth.Access{nil, entries()} {
				raw := issue(t, newIssuer(keys), p, access...)
				if got := part(t, raw, 0)["alg"]; got != alg {
					t.Errorf("alg %v, want %s", got, alg)
				}
				for range 2 { // verified, remembered
					got, err := v.Verify(raw, start)
					want := p.WithToken(access, time.Unix(start.Unix(), 0).Add(ttl+time.Second))
					if err != nil || !got.Expires.Equal(want.Expires) {
						t.Fatalf("%s: %v, expires %v", alg, err, got.Expires)
					}
					if got.Expires = want.Expires; !reflect.DeepEqual(got, want) {
						t.Errorf("%s:\n got %+v\nwant %+v", alg, got, want)
					}
				}
			}
		}
		if s := v.Stats(); s != (token.Stats{Remembered: 14, Verified: 14}) {
			t.Errorf("%+v", s)
		}
	}
}

func TestClaims(t *testing.T) {
	keys := load(t)
	raw := issue(t, newIssuer(keys), alice(), entries()...)
	got := part(t, raw, 1)
	if id, _ := got["jti"].(string); len(id) < 20 {
		t.Errorf("jti %q", id)
	}
	delete(got, "jti")
	text, _ := json.Marshal(got)
	want := `{"access":[{"actions":["pull","push"],"name":"a/b","type":"repository"},` +
		`{"actions":["*"],"name":"c","type":"repository"},{"actions":["*"],"name":"catalog","type":"registry"}],` +
		`"aud":["registry.example"],"berth":{"admin":true,"groups":["ci","CN=Dev Ops"],"kind":"user"},` +
		`"exp":1700000301,"iat":1699999940,"iss":"berth","nbf":1699999940,"sub":"alice"}`
	if string(text) != want {
		t.Errorf("\n got %s\nwant %s", text, want)
	}

	for i, want := range map[int]string{
		3: `{"admin":true,"credential":"k3c7","groups":["ci","CN=Dev Ops"],"kind":"user","narrowed":true,"within":["team/**:pull,push","x/*/y-*:*"]} alice`,
		4: `{"kind":"user","narrowed":true} bob`,
		5: `{"kind":"robot","own":["team/**:pull,push","x/*/y-*:*"]} robot$ci`,
		6: `{"kind":"outside","narrowed":true,"own":["team/**:pull,push","x/*/y-*:*"],"within":["team/**:pull,push","x/*/y-*:*"]} gitlab:project_path:a/b`,
	} {
		p := callers(t)[i]
		p.Client = netip.MustParseAddr("10.0.0.1") // is not in it
		got := part(t, issue(t, newIssuer(keys), p), 1)
		text, _ := json.Marshal(got["berth"])
		if text := fmt.Sprintf("%s %s", text, got["sub"]); text != want {
			t.Errorf("\n got %s\nwant %s", text, want)
		}
	}

	got = part(t, issue(t, newIssuer(keys), auth.Principal{}), 1)
	delete(got, "jti")
	text, _ = json.Marshal(got)
	want = `{"access":[],"aud":["registry.example"],"berth":{"kind":"anonymous"},"exp":1700000301,"iat":1699999940,"iss":"berth","nbf":1699999940,"sub":""}`
	if string(text) != want {
		t.Errorf("\n got %s\nwant %s", text, want)
	}
}

func TestExpiresIn(t *testing.T) {
	keys := load(t)
	for in, want := range map[time.Duration]time.Duration{
		0: time.Minute, time.Second: time.Minute, 90*time.Second + 5*time.Millisecond: 90 * time.Second, time.Hour: time.Hour,
	} {
		i := newIssuer(keys)
		i.TTL = in
		_, got, err := i.Issue(auth.Principal{}, nil, start)
		if err != nil || got != want {
			t.Errorf("%v: %v %v, want %v", in, got, err, want)
		}
	}
}

// A token holds for all of expires_in, also when it is remembered, and from
// one minute before it was issued.
func TestValidity(t *testing.T) {
	keys := load(t)
	raw := issue(t, newIssuer(keys), alice())
	begin, end := time.Unix(start.Unix(), 0).Add(-time.Minute), time.Unix(start.Unix(), 0).Add(ttl+time.Second)
	if end.Before(start.Add(ttl)) {
		t.Fatal("it ends before expires_in")
	}
	for _, tc := range []struct {
		now  time.Time
		want string
	}{
		{begin.Add(-1), "invalid token: not valid yet"}, {begin, ""}, {start, ""}, {end.Add(-1), ""},
		{end, "invalid token: expired"}, {end.Add(time.Hour), "invalid token: expired"},
	} {
		for name, v := range map[string]*token.Verifier{"cold": token.NewVerifier(keys, issuer, service), "warm": warm(t, keys, raw)} {
			if name == "warm" && tc.now.Before(begin) {
				continue // a clock that ran backwards
			}
			if _, err := v.Verify(raw, tc.now); text(err) != tc.want {
				t.Errorf("%s at %v: %v, want %s", name, tc.now, err, tc.want)
			}
		}
	}
}

// A token for credentials that expire ends with them at the latest, and is
// never told to be good for no time at all.
func TestCredentialsThatExpire(t *testing.T) {
	keys := load(t)
	at := time.Unix(start.Unix(), 0)
	for _, tc := range []struct {
		left      time.Duration // of the credentials
		expiresIn time.Duration
		ends      time.Duration
	}{
		{time.Hour, ttl, ttl + time.Second},
		{ttl + time.Second, ttl, ttl + time.Second},
		{ttl, ttl, ttl},
		{100 * time.Second, 100 * time.Second, 100 * time.Second},
		{59 * time.Second, 59 * time.Second, 59 * time.Second},
		{1500 * time.Millisecond, time.Second, time.Second},
		{500 * time.Millisecond, time.Second, 0},
	} {
		p := alice()
		p.Expires = at.Add(tc.left)
		raw, expiresIn, err := newIssuer(keys).Issue(p, nil, at)
		if ends := int64(part(t, raw, 1)["exp"].(float64)); err != nil || expiresIn != tc.expiresIn || ends != at.Add(tc.ends).Unix() {
			t.Errorf("%v left: %v, ends after %d s, %v", tc.left, expiresIn, ends-at.Unix(), err)
		}
	}
}

func warm(t *testing.T, keys *token.Keys, raw string) *token.Verifier {
	v := token.NewVerifier(keys, issuer, service)
	if _, err := v.Verify(raw, start); err != nil {
		t.Fatal(err)
	}
	return v
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestTokensDiffer(t *testing.T) {
	i := newIssuer(load(t))
	first, second := issue(t, i, alice()), issue(t, i, alice())
	if first == second {
		t.Error("two tokens are the same")
	}
}

// The largest request for a token that the parser lets through has a token.
func TestLargestTokenFits(t *testing.T) {
	var scopes []string
	for n := range auth.MaxScopes {
		scopes = append(scopes, fmt.Sprintf("repository:%s%03d:pull,push", strings.Repeat("a", 252), n))
	}
	access, err := auth.ParseScopes(scopes)
	if err != nil || len(access) != auth.MaxScopes {
		t.Fatal(err)
	}
	keys := load(t)
	p := alice()
	for n := range 60 {
		p.Groups = append(p.Groups, fmt.Sprintf("CN=group-%02d,OU=engineering,DC=example,DC=org", n))
	}
	for n := range auth.MaxRules {
		rule, err := auth.ParseRule(fmt.Sprintf("%s%02d:pull,push", strings.Repeat("r", 250), n))
		if err != nil {
			t.Fatal(err)
		}
		p.Within = append(p.Within, rule)
	}
	p.Narrowed = true
	raw := issue(t, newIssuer(keys), p, access...)
	got, err := token.NewVerifier(keys, issuer, service).Verify(raw, start)
	if err != nil || len(got.Access()) != auth.MaxScopes {
		t.Errorf("%d bytes: %v", len(raw), err)
	}

	many := p
	many.Within = append(many.Within, many.Within[0])
	if _, _, err := newIssuer(keys).Issue(many, access, start); err == nil {
		t.Error("a token with too many rules")
	}
	for range 2000 {
		p.Groups = append(p.Groups, "one of too many groups")
	}
	if _, _, err := newIssuer(keys).Issue(p, access, start); !errors.Is(err, token.ErrTooLong) {
		t.Errorf("too long: %v", err)
	}
}

func TestNoTokenForUnknownKinds(t *testing.T) {
	if raw, _, err := newIssuer(load(t)).Issue(auth.Principal{Kind: 9}, nil, start); err == nil {
		t.Error(raw)
	}
}

// part decodes the header (0) or the claims (1) of a token.
func part(t *testing.T, raw string, n int) map[string]any {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[n])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func BenchmarkVerifyCold(b *testing.B) {
	for _, alg := range []string{"EdDSA", "ES256", "RS256"} {
		b.Run(alg, func(b *testing.B) {
			keys := load(b, store(b, kinds(b)[alg]))
			raw := issue(b, newIssuer(keys), alice(), entries()...)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				v := token.NewVerifier(keys, issuer, service)
				b.StartTimer()
				if _, err := v.Verify(raw, start); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerifyRemembered(b *testing.B) {
	keys := load(b)
	raw := issue(b, newIssuer(keys), alice(), entries()...)
	v := token.NewVerifier(keys, issuer, service)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(raw, start); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyRememberedParallel(b *testing.B) {
	keys := load(b)
	raw := issue(b, newIssuer(keys), alice(), entries()...)
	v := token.NewVerifier(keys, issuer, service)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := v.Verify(raw, start); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkIssue(b *testing.B) {
	i := newIssuer(load(b))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := i.Issue(alice(), entries(), start); err != nil {
			b.Fatal(err)
		}
	}
}

// check is all that auth does for a pull by a token: header, token, decision.
func check(t testing.TB) func() error {
	keys := load(t)
	p := callers(t)[3]
	a := auth.Authenticator{Tokens: token.NewVerifier(keys, issuer, service), Now: func() time.Time { return start }}
	g := auth.Gate{Policy: auth.NewLive(nil)}
	r := &http.Request{Header: http.Header{"Authorization": {"Bearer " + issue(t, newIssuer(keys), p, entries()...)}}}
	return func() error {
		who, err := a.Authenticate(r)
		if err != nil {
			return err
		}
		return g.Allow(context.Background(), who, "a/b", auth.Pull, start)
	}
}

// TestCheckAllocatesNothing, as long as the token is remembered.
func TestCheckAllocatesNothing(t *testing.T) {
	f := check(t)
	n := testing.AllocsPerRun(1000, func() {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkCheck is the issue's "token check with a warm cache".
func BenchmarkCheck(b *testing.B) {
	f := check(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
}

// TestLimits: what a client is told of its limit stands beside what it may
// pull, and counts for nothing.
func TestLimits(t *testing.T) {
	keys := load(t)
	i := newIssuer(keys)
	i.Limits = func(p auth.Principal) map[string]string {
		if p.Kind == auth.Anonymous {
			return map[string]string{"pull_limit": "100", "pull_limit_interval": "21600"}
		}
		return nil
	}
	access := []auth.Access{auth.Repository("a", auth.Pull|auth.Push), auth.Repository("b", auth.Push), auth.Catalog()}
	text, _ := json.Marshal(part(t, issue(t, i, auth.Principal{}, access...), 1)["access"])
	want := `[{"actions":["pull","push"],"name":"a","parameters":{"pull_limit":"100","pull_limit_interval":"21600"},"type":"repository"},` +
		`{"actions":["push"],"name":"b","type":"repository"},{"actions":["*"],"name":"catalog","type":"registry"}]`
	if string(text) != want {
		t.Errorf("\n got %s\nwant %s", text, want)
	}
	text, _ = json.Marshal(part(t, issue(t, i, alice(), access...), 1)["access"])
	if strings.Contains(string(text), "pull_limit") {
		t.Errorf("without a limit: %s", text)
	}
	p, err := token.NewVerifier(keys, issuer, service).Verify(issue(t, i, auth.Principal{}, access...), start)
	if err != nil || !reflect.DeepEqual(p.Access(), access) {
		t.Errorf("%v %v", p.Access(), err)
	}
}
