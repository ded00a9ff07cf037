package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/berth-registry/berth/api"
	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/metadata/bolt"
	"github.com/berth-registry/berth/storage"
)

const password = "correct horse"

// stack is the API over real accounts in a directory: the administrator admin
// and the static user carol.
type stack struct {
	*testing.T
	accounts *account.Accounts
	handler  http.Handler
	log      *bytes.Buffer
}

func newStack(t *testing.T) *stack {
	t.Helper()
	s := &stack{T: t, log: new(bytes.Buffer)}
	dir := t.TempDir()
	store, err := bolt.Open(filepath.Join(dir, "berth.db"), bolt.Options{})
	s.must(err)
	t.Cleanup(func() { s.must(store.Close()) })
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	s.must(err)
	s.accounts, err = account.New(account.Options{
		Users: store, Dir: dir, Cost: bcrypt.MinCost, Reserved: []string{"docker-hub"},
		Static: []metadata.User{{Name: "carol", Bcrypt: string(hash), Groups: []string{"ci"}}},
	})
	s.must(err)
	s.must(s.accounts.Add(t.Context(), "admin", password, true, nil, time.Now()))
	s.handler = api.Handler(s.accounts, slog.New(slog.NewTextHandler(s.log, nil)))
	return s
}

func (s *stack) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// login reports whether the password is the user's.
func (s *stack) login(name, password string) bool {
	_, err := s.accounts.Login(s.Context(), auth.Credentials{Name: name, Secret: password}, time.Now())
	return err == nil
}

type row struct {
	do     string
	body   string
	status int
	text   string // of the problem, or part of the answer
}

func (s *stack) table(rows []row) {
	s.Helper()
	for i, r := range rows {
		method, path, _ := strings.Cut(r.do, " ")
		rec := httptest.NewRecorder()
		s.handler.ServeHTTP(rec, httptest.NewRequestWithContext(s.Context(), method, path, strings.NewReader(r.body)))
		if rec.Code != r.status || !strings.Contains(rec.Body.String(), r.text) {
			s.Errorf("row %d: %s %.100s: %d %s, want %d with %q", i+1, r.do, r.body, rec.Code, rec.Body, r.status, r.text)
		}
		var p api.Problem
		if rec.Code >= 400 && (json.Unmarshal(rec.Body.Bytes(), &p) != nil || p.Error == "" || rec.Header().Get("Content-Type") != "application/json") {
			s.Errorf("row %d: %s: no problem: %q %s", i+1, r.do, rec.Header().Get("Content-Type"), rec.Body)
		}
		if strings.Contains(rec.Body.String(), `"bcrypt"`) || strings.Contains(rec.Body.String(), "$2") || strings.Contains(rec.Body.String(), password) {
			s.Errorf("row %d: %s tells a secret: %s", i+1, r.do, rec.Body)
		}
	}
	if strings.Contains(s.log.String(), password) {
		s.Error("the log has a password")
	}
}

func TestUsers(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	user := func(name string) string { return `{"name":"` + name + `","password":"` + password + `"}` }
	s.table([]row{
		{"GET /api/v1/users", "", 200, `"name":"admin"`},
		{"GET /api/v1/users", "", 200, `{"name":"carol","groups":["ci"],"static":true}`},

		{"POST /api/v1/users", `{"name":"dave","password":"correct horse","admin":true,"groups":["dev","ops"]}`, 201, ""},
		{"GET /api/v1/users", "", 200, `{"name":"dave","groups":["dev","ops"],"admin":true,"created":`},
		{"POST /api/v1/users", user("dave"), 409, "exists already"},
		{"POST /api/v1/users", user("carol"), 409, "exists already"},
		{"POST /api/v1/users", user("Dave"), 400, "lower-case"},
		{"POST /api/v1/users", user("../dave"), 400, "lower-case"},
		{"POST /api/v1/users", user(""), 400, "lower-case"},
		{"POST /api/v1/users", user("anonymous"), 400, "reserved"},
		{"POST /api/v1/users", user("docker-hub"), 400, "upstream"},
		{"POST /api/v1/users", `{"name":"erin","password":"short"}`, 400, "at least 8"},
		{"POST /api/v1/users", `{"name":"erin"}`, 400, "at least 8"},
		{"POST /api/v1/users", `{"name":"erin","password":"` + strings.Repeat("x", 73) + `"}`, 400, "at most 72"},

		// Bodies are read strictly.
		{"POST /api/v1/users", ``, 400, "not what this endpoint takes"},
		{"POST /api/v1/users", `[]`, 400, "not what this endpoint takes"},
		{"POST /api/v1/users", `{"name":"erin","passwort":"x"}`, 400, "not what this endpoint takes"},
		{"POST /api/v1/users", `{"name":"erin","password":"correct horse"`, 400, "not what this endpoint takes"},
		{"POST /api/v1/users", user("erin") + user("frank"), 400, "not what this endpoint takes"},
		{"POST /api/v1/users", `{"name":"` + strings.Repeat("x", 64<<10) + `"}`, 400, "not what this endpoint takes"},

		{"PUT /api/v1/users/dave/password", `{"password":"another horse"}`, 204, ""},
		{"PUT /api/v1/users/dave/password", `{"password":"short"}`, 400, "at least 8"},
		{"PUT /api/v1/users/dave/password", `{"name":"dave"}`, 400, "not what this endpoint takes"},
		{"PUT /api/v1/users/nobody/password", `{"password":"another horse"}`, 404, "no such user"},
		{"PUT /api/v1/users/carol/password", `{"password":"another horse"}`, 409, "configuration"},

		{"DELETE /api/v1/users/nobody", "", 404, "no such user"},
		{"DELETE /api/v1/users/carol", "", 409, "configuration"},
		{"DELETE /api/v1/users/..%2fadmin", "", 404, "no such user"},
	})
	if !s.login("dave", "another horse") || s.login("dave", password) {
		t.Error("the password was not changed")
	}
	s.table([]row{
		{"DELETE /api/v1/users/dave", "", 204, ""},
		{"DELETE /api/v1/users/dave", "", 404, "no such user"},
		{"DELETE /api/v1/users/admin", "", 409, "last administrator"},
	})
	if s.login("dave", "another horse") || !s.login("admin", password) {
		t.Error("the wrong user was removed")
	}
}

// TestNoEndpoint answers with a problem too.
func TestNoEndpoint(t *testing.T) {
	t.Parallel()
	newStack(t).table([]row{
		{"GET /", "", 404, "no such endpoint"},
		{"GET /api/v1/", "", 404, "no such endpoint"},
		{"GET /api/v1/users/", "", 404, "no such endpoint"},
		{"DELETE /api/v1/users/", "", 404, "no such endpoint"},
		{"GET /v2/", "", 404, "no such endpoint"},
		{"PATCH /api/v1/users", "", 405, "method"},
		{"GET /api/v1/users/admin/password", "", 405, "method"},
		{"BREW /api/v1/users", "", 405, "method"},
	})
}

// broken fails in its own way.
type broken struct{ err error }

func (b broken) Add(context.Context, string, string, bool, []string, time.Time) error { return b.err }
func (b broken) SetPassword(context.Context, string, string, time.Time) error         { return b.err }
func (b broken) Remove(context.Context, string) error                                 { return b.err }
func (b broken) List(context.Context) ([]account.User, error)                         { return nil, b.err }

// TestOurFault keeps the text of what is not the caller's to know.
func TestOurFault(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	secret := errors.New("open /secret/berth.db: denied")
	for _, why := range []struct {
		err    error
		status int
		text   string
	}{
		{secret, 500, `{"error":"an internal error occurred: see the server's log"}`},
		{fmt.Errorf("%w: %w", storage.ErrNoSpace, secret), 507, `{"error":"the registry has no space left"}`},
		{fmt.Errorf("%w: %w", storage.ErrUnavailable, secret), 503, `{"error":"the registry takes no changes at the moment: `},
	} {
		s.log.Reset()
		s.handler = api.Handler(broken{why.err}, slog.New(slog.NewTextHandler(s.log, nil)))
		s.table([]row{
			{"GET /api/v1/users", "", why.status, why.text},
			{"POST /api/v1/users", `{}`, why.status, why.text},
			{"PUT /api/v1/users/a/password", `{}`, why.status, why.text},
			{"DELETE /api/v1/users/a", "", why.status, why.text},
		})
		if n := strings.Count(s.log.String(), "level=ERROR"); n != 4 || !strings.Contains(s.log.String(), "/secret/berth.db") {
			t.Errorf("the log does not say why: %s", s.log)
		}
	}
	s.handler = api.Handler(broken{}, slog.New(slog.DiscardHandler))
	s.table([]row{{"GET /api/v1/users", "", 200, "[]"}}) // nobody is no null
}
