package api_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/berth-registry/berth/api"
	"github.com/berth-registry/berth/audit"
	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/auth/personal"
	"github.com/berth-registry/berth/auth/robot"
	"github.com/berth-registry/berth/auth/token"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/metadata/bolt"
	"github.com/berth-registry/berth/ratelimit/pulls"
)

const (
	password = "correct horse"
	issuer   = "berth.test"
	service  = "registry.test"
)

// stack is the API over real accounts in a directory: the administrator admin,
// the static user carol and the user alice. Everybody has the password.
type stack struct {
	*testing.T
	config  api.Config
	handler http.Handler // the socket's
	network http.Handler
	log     *bytes.Buffer
	now     time.Time

	accounts *account.Accounts
	robots   *robot.Robots
	tokens   *personal.Tokens
	store    *bolt.Store
	limits   *pulls.Limiter
	keys     *token.Keys
	trail    *audit.Log
	document openapi
}

// answered are the answers of all tests, "operation status".
var answered sync.Map

// TestMain runs the tests, and then expects that they have seen every answer
// of the document: one that does not happen is not to be written down.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.fuzz").Value.String() == "" {
		code = unanswered()
	}
	os.Exit(code)
}

func unanswered() (code int) {
	rec := httptest.NewRecorder()
	c := api.Config{Log: slog.New(slog.DiscardHandler), Client: func(*http.Request) (a netip.Addr) { return a }}
	api.New(c).Socket().ServeHTTP(rec, httptest.NewRequestWithContext(context.Background(), "GET", "/api/v1/openapi.json", nil))
	var d openapi
	if err := json.Unmarshal(rec.Body.Bytes(), &d); err != nil {
		fmt.Println(err)
		return 1
	}
	for _, methods := range d.Paths {
		for _, op := range methods {
			for status := range op.Responses {
				if _, has := answered.Load(op.OperationID + " " + status); !has {
					fmt.Printf("no test has the answer %s of %s\n", status, op.OperationID)
					code = 1
				}
			}
		}
	}
	return code
}

func newStack(t *testing.T) *stack {
	t.Helper()
	s := &stack{T: t, log: new(bytes.Buffer), now: time.Now().UTC().Truncate(time.Second)}
	dir := t.TempDir()
	store, err := bolt.Open(filepath.Join(dir, "berth.db"), bolt.Options{})
	s.must(err)
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	s.must(err)
	s.accounts, err = account.New(account.Options{
		Users: store, Dir: dir, Cost: bcrypt.MinCost, Reserved: []string{"docker-hub"},
		Static: []metadata.User{{Name: "carol", Bcrypt: string(hash), Groups: []string{"ci"}}},
	})
	s.must(err)
	s.must(s.accounts.Add(t.Context(), "admin", password, true, nil, s.now))
	s.must(s.accounts.Add(t.Context(), "alice", password, false, []string{"dev"}, s.now))
	s.robots, s.tokens, s.store = robot.New(store), personal.New(store, s.accounts), store
	s.openLimits()
	t.Cleanup(func() {
		s.must(s.robots.Close())
		s.must(s.tokens.Close())
		s.must(store.Close())
	})
	s.keys, err = token.Load([]string{filepath.Join(dir, "token.key")})
	s.must(err)
	s.trail, err = audit.Open(audit.Options{})
	s.must(err)
	s.config = api.Config{
		Accounts: s.accounts, Robots: s.robots, Tokens: s.tokens, Policy: auth.NewLive(s.policy()), Audit: s.trail,
		Auth: auth.Authenticator{
			Tokens:   token.NewVerifier(s.keys, issuer, service+"/api"),
			Accounts: auth.Door{Robots: s.robots, Personal: s.tokens, Users: s.accounts},
			Personal: s.tokens,
			Now:      func() time.Time { return s.now },
		},
		Limits:   s.limits,
		Usage:    s.store,
		Standing: auth.Standings{Robots: s.robots, Personal: s.tokens, Users: s.accounts},
		Sessions: s.issuer("/api"),
		Client:   func(*http.Request) netip.Addr { return netip.MustParseAddr("192.0.2.1") },
		Version:  "test",
		Log:      slog.New(slog.NewTextHandler(s.log, nil)),
		Now:      func() time.Time { return s.now },
	}
	s.open()
	return s
}

// open makes the handlers of the configuration.
func (s *stack) open() {
	s.Helper()
	a := api.New(s.config)
	s.handler, s.network = a.Socket(), a.Network()
	rec := httptest.NewRecorder()
	s.handler.ServeHTTP(rec, httptest.NewRequestWithContext(s.Context(), "GET", "/api/v1/openapi.json", nil))
	s.must(json.Unmarshal(rec.Body.Bytes(), &s.document))
}

func (s *stack) issuer(audience string) *token.Issuer {
	return &token.Issuer{Keys: s.keys, Issuer: issuer, Service: service + audience, TTL: 5 * time.Minute}
}

func (s *stack) policy() *auth.Policy {
	s.Helper()
	var grants []auth.Grant
	for _, text := range []string{"authenticated * ${user}/**", "group:dev pull,push team/**", "anonymous pull public/**", "10.0.0.0/8 pull inside/**"} {
		part := strings.Fields(text)
		g, err := auth.ParseGrant(part[:1], part[2:], strings.Split(part[1], ","), false)
		s.must(err)
		grants = append(grants, g)
	}
	deny, err := auth.ParseGrant([]string{"authenticated"}, []string{"team/secret"}, []string{"push"}, true)
	s.must(err)
	return auth.NewPolicy(append(grants, deny))
}

func (s *stack) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// login reports whether the password is the user's.
func (s *stack) login(name, password string) bool {
	_, err := s.accounts.Login(s.Context(), auth.Credentials{Name: name, Secret: password}, s.now)
	return err == nil
}

func basic(name, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+secret))
}

// send sends a request with an Authorization; none over the socket.
func (s *stack) send(h http.Handler, do, as, body string) *httptest.ResponseRecorder {
	s.Helper()
	method, path, _ := strings.Cut(do, " ")
	r := httptest.NewRequestWithContext(s.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if as != "" {
		r.Header.Set("Authorization", as)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	s.wellFormed(do, rec)
	return rec
}

// wellFormed holds an answer against what holds for all, and against the
// document.
func (s *stack) wellFormed(do string, rec *httptest.ResponseRecorder) {
	s.Helper()
	body := rec.Body.String()
	var p api.Problem
	if rec.Code >= 400 && (json.Unmarshal([]byte(body), &p) != nil || p.Error == "" || rec.Header().Get("Content-Type") != "application/json") {
		s.Errorf("%s: no problem: %q %s", do, rec.Header().Get("Content-Type"), body)
	}
	if strings.Contains(body, "bcrypt\"") || strings.Contains(body, "$2") || strings.Contains(body, password) {
		s.Errorf("%s tells a secret: %s", do, body)
	}
	if rec.Header().Get("Cache-Control") != "no-store" || (rec.Code == 401) != (rec.Header().Get("WWW-Authenticate") != "") {
		s.Errorf("%s: headers %v", do, rec.Header())
	}
	s.documented(do, rec)
}

type row struct {
	do     string
	body   string
	status int
	text   string // of the problem, or part of the answer
}

// table sends the rows over the socket.
func (s *stack) table(rows []row) {
	s.Helper()
	for i, r := range rows {
		rec := s.send(s.handler, r.do, "", r.body)
		if rec.Code != r.status || !strings.Contains(rec.Body.String(), r.text) {
			s.Errorf("row %d: %s %.100s: %d %s, want %d with %q", i+1, r.do, r.body, rec.Code, rec.Body, r.status, r.text)
		}
	}
	if strings.Contains(s.log.String(), password) || strings.Contains(s.log.String(), auth.PersonalPrefix) || strings.Contains(s.log.String(), "berth_robot_") {
		s.Error("the log has a secret")
	}
}

// hash is one of password.
func (s *stack) hash() string {
	s.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	s.must(err)
	return string(h)
}
