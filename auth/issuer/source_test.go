package issuer_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/issuer"
	"github.com/golang-jwt/jwt/v5"
)

const noKeys = "the keys of the issuer cannot be had at the moment"

// at logs in at a time.
func at(t *testing.T, i *issuer.Issuers, raw string, after time.Duration) error {
	t.Helper()
	_, err := i.Login(t.Context(), auth.Credentials{Secret: raw}, start.Add(after))
	return err
}

// long is a token of the provider that is good for a year.
func (p *provider) long(kid string, key crypto.Signer) string {
	return forge(p.t, jwt.SigningMethodEdDSA, key, map[string]any{"kid": kid}, p.claims(jwt.MapClaims{"exp": start.AddDate(1, 0, 0).Unix()}))
}

// A key that the issuer has just begun to sign with is found; one that it has
// withdrawn counts no more, also for tokens that are remembered.
func TestRotation(t *testing.T) {
	p := newProvider(t)
	old, next := newKey(t), newKey(t)
	p.private = map[string]crypto.Signer{"old": old}
	i := trust(t, p.identity())
	steps := []struct {
		name  string
		after time.Duration
		keys  map[string]crypto.Signer // from now on; nil: as they were
		token string
		err   string // "": accepted
		asked int64  // together
	}{
		{"the first asks for the keys", 0, nil, p.long("old", old), "", 1},
		{"remembered", time.Second, nil, p.long("old", old), "", 1},
		{"both, and not asked so soon", 2 * time.Second, map[string]crypto.Signer{"old": old, "next": next}, p.long("next", next), "unknown key", 1},
		{"the next one", 31 * time.Second, nil, p.long("next", next), "", 2},
		{"the old one still", 32 * time.Second, nil, p.long("old", old), "", 2},
		{"only the next one, and nobody has asked", 70 * time.Second, map[string]crypto.Signer{"next": next}, p.long("old", old), "", 2},
		{"a foreign kid", 71 * time.Second, nil, p.long("evil", old), "unknown key", 3},
		{"what was remembered is not any more", 72 * time.Second, nil, p.long("old", old), "unknown key", 3},
		{"the next one still", 73 * time.Second, nil, p.long("next", next), "", 3},
	}
	for _, s := range steps {
		if s.keys != nil {
			p.set(func() { p.private = s.keys })
		}
		err := at(t, i, s.token, s.after)
		if (err == nil) != (s.err == "") || err != nil && !strings.HasSuffix(err.Error(), s.err) || p.asked.Load() != s.asked {
			t.Errorf("%s: %v, asked %d times", s.name, err, p.asked.Load())
		}
	}
}

// Random kids make one request in half a minute, however many they are.
func TestRandomKidsMakeNoRequests(t *testing.T) {
	p := newProvider(t)
	i := trust(t, p.identity())
	key := newKey(t)
	for n := range 600 {
		if err := at(t, i, p.long(fmt.Sprint("kid-", n), key), time.Duration(n)*100*time.Millisecond); err == nil {
			t.Fatal("accepted")
		}
	}
	if n := p.asked.Load(); n != 2 {
		t.Errorf("%d requests in a minute", n)
	}
}

// Many who come at once share one request, and one who goes away does not end
// it for the others.
func TestOneRequestForAll(t *testing.T) {
	p := newProvider(t)
	held, release := make(chan struct{}), make(chan struct{})
	p.answer = func(w http.ResponseWriter, _ *http.Request) {
		close(held)
		<-release
		fmt.Fprintf(w, "%s", p.jwks())
	}
	i := trust(t, p.identity())
	raw := p.sign("EdDSA", nil)
	i.Refresh(start)
	<-held
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := i.Login(gone, auth.Credentials{Secret: raw}, start); err == nil {
		t.Error("let in before the keys are there")
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var failed []error
	for range 20 {
		all.Go(func() {
			_, err := i.Login(t.Context(), auth.Credentials{Secret: raw}, start)
			mu.Lock()
			defer mu.Unlock()
			failed = append(failed, err)
		})
	}
	close(release)
	all.Wait()
	if err := errors.Join(failed...); err != nil || len(failed) != 20 || p.asked.Load() != 1 {
		t.Errorf("%v, %d requests", err, p.asked.Load())
	}
}

// What is no JWK Set, or not one that can be taken, is an error of the source:
// the log says which, and the last good keys stay.
func TestBadAnswers(t *testing.T) {
	p := newProvider(t)
	var log bytes.Buffer
	i := issuer.New(slog.New(slog.NewTextHandler(&log, nil)), nil)
	use(t, i, p.identity())
	elsewhere := newProvider(t)
	answers := []struct {
		name, log string
		answer    http.HandlerFunc
	}{
		{"huge", "longer than 262144 bytes", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, "%s", p.jwks())
			for range 300 {
				fmt.Fprint(w, strings.Repeat(" ", 1024))
			}
		}},
		{"redirect", "redirects are not followed", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.url+"/keys", http.StatusFound)
		}},
		{"permanent redirect", "redirects are not followed", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.url+"/keys", http.StatusPermanentRedirect)
		}},
		{"not found", "no such document", http.NotFound},
		{"failure", "status 503", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }},
		{"nothing", "no JWK Set", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"keys":[`) }},
		{"empty", "no key in it", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"keys":[]}`) }},
		{"HTML", "no key in it", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `<html>sign in</html>`) }},
		{"cut", "unexpected EOF", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprintf(w, "%s", p.jwks()[:10])
		}},
	}
	after, step := time.Duration(0), time.Minute
	for _, a := range answers {
		log.Reset()
		p.set(func() { p.answer = a.answer })
		after += step
		if err := at(t, i, p.long("EdDSA", kinds()["EdDSA"]), after); err == nil || !strings.HasSuffix(err.Error(), noKeys) || !strings.Contains(log.String(), a.log) {
			t.Errorf("%s: %v, log %s", a.name, err, log.String())
		}
	}
	p.set(func() { p.answer = nil })
	after += step
	if err := at(t, i, p.long("EdDSA", kinds()["EdDSA"]), after); err != nil {
		t.Fatal(err)
	}
	for _, a := range answers { // and now with keys that stay
		log.Reset()
		p.set(func() { p.answer = a.answer })
		after += step
		if err := at(t, i, p.long("evil", newKey(t)), after); err == nil || !strings.Contains(log.String(), a.log) || !strings.Contains(log.String(), "keeps=4") {
			t.Errorf("%s: %v, log %s", a.name, err, log.String())
		}
		if err := at(t, i, p.long("EdDSA", kinds()["EdDSA"]), after); err != nil {
			t.Errorf("%s: the keys are lost: %v", a.name, err)
		}
	}
	if n := elsewhere.asked.Load(); n != 0 {
		t.Errorf("%d requests to where redirects lead", n)
	}
}

func TestNobodyListens(t *testing.T) {
	p := newProvider(t)
	down := httptest.NewServer(nil)
	down.Close()
	i := trust(t, p.identity(func(e *issuer.Entry) { e.JWKS = down.URL + "/keys" }))
	if err := at(t, i, p.sign("EdDSA", nil), 0); err == nil || !strings.HasSuffix(err.Error(), noKeys) {
		t.Error(err)
	}
}

// slow is a transport whose answers come when they are let.
type slow struct {
	answers chan string // "" hangs until the request ends
	asked   chan time.Time
}

func newSlow() *slow { return &slow{make(chan string, 100), make(chan time.Time, 100)} }

func (s *slow) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked <- time.Now()
	body := <-s.answers
	if body == "" {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// A token waits 5 seconds for keys that do not come, and the request is given
// up after 10: it neither holds up what comes later nor is repeated at once.
func TestSlowKeys(t *testing.T) {
	p := newProvider(t)
	entry, raw := p.identity(), p.long("EdDSA", kinds()["EdDSA"])
	keys := string(p.jwks())
	synctest.Test(t, func(t *testing.T) {
		s, began := newSlow(), time.Now()
		i := issuer.New(slog.New(slog.DiscardHandler), s)
		use(t, i, entry)
		s.answers <- ""
		login := func() error {
			_, err := i.Login(t.Context(), auth.Credentials{Secret: raw}, start.Add(time.Since(began)))
			return err
		}
		if err := login(); err == nil || !strings.HasSuffix(err.Error(), noKeys) || time.Since(began) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if err := login(); err == nil || time.Since(began) != 10*time.Second { // waits for what is under way
			t.Errorf("%v after %v", err, time.Since(began))
		}
		synctest.Wait()
		if err := login(); err == nil || time.Since(began) != 10*time.Second { // too soon to ask again
			t.Errorf("%v after %v", err, time.Since(began))
		}
		time.Sleep(20 * time.Second)
		s.answers <- keys
		if err := login(); err != nil || len(s.asked) != 2 {
			t.Errorf("asked %d times, %v", len(s.asked), err)
		}
	})
}

// Run fetches at the start, soon again while that fails, and every quarter of
// an hour when it does not.
func TestRun(t *testing.T) {
	p := newProvider(t)
	entry, raw := p.identity(), p.long("EdDSA", kinds()["EdDSA"])
	keys := string(p.jwks())
	synctest.Test(t, func(t *testing.T) {
		s, began := newSlow(), time.Now()
		i := issuer.New(slog.New(slog.DiscardHandler), s)
		use(t, i, entry)
		for range 3 {
			s.answers <- "<html>"
		}
		for range 3 {
			s.answers <- keys
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { i.Run(ctx); close(ended) }()
		time.Sleep(40 * time.Minute)
		if _, err := i.Login(ctx, auth.Credentials{Secret: raw}, start); err != nil {
			t.Error(err)
		}
		stop()
		<-ended
		var got []time.Duration
		for range len(s.asked) {
			got = append(got, (<-s.asked).Sub(began))
		}
		first := 70 * time.Second // 10 after the first failure, 20 after the second, 40 after the third
		if want := fmt.Sprint([]time.Duration{0, 10 * time.Second, 30 * time.Second, first, first + 15*time.Minute, first + 30*time.Minute}); fmt.Sprint(got) != want {
			t.Errorf("asked after %v, want %s", got, want)
		}
	})
}

func TestDiscovery(t *testing.T) {
	p := newProvider(t)
	discovered := func(e *issuer.Entry) { e.JWKS = "" }
	i := trust(t, p.identity(discovered))
	if who, err := login(t, i, p.sign("ES384", nil)); err != nil || who.Kind != auth.Outside {
		t.Errorf("%v %v", who, err)
	}
	keys := string(p.jwks())
	for name, tc := range map[string]struct {
		path      string // of the issuer
		documents map[string]string
		log       string // "": works
	}{
		"with a path": {"/realm/a", map[string]string{
			"/realm/a/.well-known/openid-configuration": `{"issuer":"URL/realm/a","jwks_uri":"URL/k"}`}, ""},
		"with a slash": {"/realm/", map[string]string{
			"/realm/.well-known/openid-configuration": `{"issuer":"URL/realm/","jwks_uri":"URL/k"}`}, ""},
		"RFC 8414": {"/realm/a", map[string]string{
			"/.well-known/oauth-authorization-server/realm/a": `{"issuer":"URL/realm/a","jwks_uri":"URL/k"}`}, ""},
		"nowhere":              {"", nil, "no such document"},
		"another issuer":       {"", map[string]string{"/.well-known/openid-configuration": `{"issuer":"https://evil.example","jwks_uri":"URL/k"}`}, "another issuer"},
		"another spelling":     {"", map[string]string{"/.well-known/openid-configuration": `{"issuer":"URL/","jwks_uri":"URL/k"}`}, "another issuer"},
		"no issuer":            {"", map[string]string{"/.well-known/openid-configuration": `{"jwks_uri":"URL/k"}`}, "another issuer"},
		"no keys":              {"", map[string]string{"/.well-known/openid-configuration": `{"issuer":"URL"}`}, "names no jwks_uri"},
		"keys over plain HTTP": {"", map[string]string{"/.well-known/openid-configuration": `{"issuer":"URL","jwks_uri":"http://keys.example/k"}`}, "https://"},
		"keys in a file":       {"", map[string]string{"/.well-known/openid-configuration": `{"issuer":"URL","jwks_uri":"file:///etc/passwd"}`}, "host"},
		"keys with a password": {"", map[string]string{"/.well-known/openid-configuration": `{"issuer":"URL","jwks_uri":"https://a:b@keys.example/k"}`}, "without a user"},
		"keys that are a path": {"", map[string]string{"/.well-known/openid-configuration": `{"issuer":"URL","jwks_uri":"/k"}`}, "host"},
		"HTML":                 {"", map[string]string{"/.well-known/openid-configuration": `<html>`}, "malformed"},
		"a list":               {"", map[string]string{"/.well-known/openid-configuration": `[]`}, "malformed"},
		"a redirect":           {"", map[string]string{"/.well-known/openid-configuration": "302"}, "redirects are not followed"},
		"a failure is no absence": {"", map[string]string{"/.well-known/openid-configuration": "500",
			"/.well-known/oauth-authorization-server": `{"issuer":"URL","jwks_uri":"URL/k"}`}, "status 500"},
	} {
		var url string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, has := tc.documents[r.URL.Path]
			switch {
			case r.URL.Path == "/k":
				fmt.Fprint(w, keys)
			case !has:
				http.NotFound(w, r)
			case text == "302":
				http.Redirect(w, r, url+"/k", http.StatusFound)
			case text == "500":
				w.WriteHeader(http.StatusInternalServerError)
			default:
				fmt.Fprint(w, strings.ReplaceAll(text, "URL", url))
			}
		}))
		defer server.Close()
		url = server.URL
		var log bytes.Buffer
		i := issuer.New(slog.New(slog.NewTextHandler(&log, nil)), nil)
		use(t, i, p.identity(discovered, func(e *issuer.Entry) { e.Issuer = url + tc.path }))
		err := at(t, i, p.sign("EdDSA", jwt.MapClaims{"iss": url + tc.path}), 0)
		if (err == nil) != (tc.log == "") || !strings.Contains(log.String(), tc.log) {
			t.Errorf("%s: %v, log %s", name, err, log.String())
		}
	}
}

// An issuer behind TLS cannot send us to keys without it.
func TestDiscoveryStaysOnTLS(t *testing.T) {
	p := newProvider(t)
	var url string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, url, p.url+"/keys")
	}))
	defer server.Close()
	url = server.URL
	var log bytes.Buffer
	i := issuer.New(slog.New(slog.NewTextHandler(&log, nil)), server.Client().Transport)
	use(t, i, p.identity(func(e *issuer.Entry) { e.Issuer, e.JWKS = url, "" }))
	if err := at(t, i, p.sign("EdDSA", jwt.MapClaims{"iss": url}), 0); err == nil || !strings.Contains(log.String(), "not https") || p.asked.Load() != 0 {
		t.Errorf("%v, %d requests, log %s", err, p.asked.Load(), log.String())
	}
}

func TestKeysInAFile(t *testing.T) {
	p := newProvider(t)
	file := filepath.Join(t.TempDir(), "jwks.json")
	write := func(data []byte) {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(p.jwks())
	entry := p.identity(func(e *issuer.Entry) { e.JWKS = file })
	i := trust(t, entry)
	if err := at(t, i, p.sign("EdDSA", nil), 0); err != nil {
		t.Error(err)
	}
	// Another key is seen without a reload, as at a URL.
	next := newKey(t)
	p.private = map[string]crypto.Signer{"next": next}
	write(p.jwks())
	if err := at(t, i, p.long("next", next), time.Minute); err != nil {
		t.Error(err)
	}
	for _, bad := range [][]byte{nil, []byte("{}"), bytes.Repeat([]byte(" "), 300<<10)} {
		write(bad)
		if _, err := i.Prepare([]issuer.Entry{entry}); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%.10q: %v", bad, err)
		}
		if err := at(t, i, p.long("next", next), 2*time.Minute); err != nil {
			t.Errorf("the keys are lost: %v", err)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := i.Prepare([]issuer.Entry{entry}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if p.asked.Load() != 0 {
		t.Error("the provider was asked")
	}
}
