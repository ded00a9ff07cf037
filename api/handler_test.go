package api_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/storage"
)

func TestUsers(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	user := func(name string) string { return `{"name":"` + name + `","password":"` + password + `"}` }
	s.table([]row{
		{"GET /api/v1/users", "", 200, `"name":"admin"`},
		{"GET /api/v1/users", "", 200, `{"name":"carol","groups":["ci"],"static":true}`},
		{"GET /api/v1/users/carol", "", 200, `{"name":"carol","groups":["ci"],"static":true}`},
		{"GET /api/v1/users/nobody", "", 404, "no such user"},
		{"GET /api/v1/users?n=many", "", 400, "n is a number"},

		{"POST /api/v1/users", `{"name":"dave","password":"correct horse","admin":true,"groups":["dev","ops"]}`, 201, `{"name":"dave","groups":["dev","ops"],"admin":true,"created":`},
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

		{"PUT /api/v1/users/dave/groups", `{"groups":["qa"]}`, 204, ""},
		{"GET /api/v1/users/dave", "", 200, `{"name":"dave","groups":["qa"],"admin":true,`},
		{"PUT /api/v1/users/dave/groups", `{"groups":[]}`, 204, ""},
		{"GET /api/v1/users/dave", "", 200, `{"name":"dave","admin":true,`},
		{"PUT /api/v1/users/dave/groups", `{"groups":[" x"]}`, 400, "group"},
		{"PUT /api/v1/users/nobody/groups", `{"groups":[]}`, 404, "no such user"},
		{"PUT /api/v1/users/carol/groups", `{"groups":[]}`, 409, "configuration"},

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

// broken fails in its own way, where it is called.
type broken struct {
	*account.Accounts
	err error
}

func (b broken) Add(context.Context, string, string, bool, []string, time.Time) error { return b.err }
func (b broken) SetPassword(context.Context, string, string, time.Time) error         { return b.err }
func (b broken) Remove(context.Context, string) error                                 { return b.err }
func (b broken) List(context.Context) ([]account.User, error)                         { return nil, b.err }
func (b broken) Find(context.Context, string) (account.User, error)                   { panic("a mistake in /secret") }

// TestOurFault keeps the text of what is not the caller's to know.
func TestOurFault(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	secret := errors.New("open /secret/berth.db: denied")
	const text = `{"error":"an internal error occurred: see the server's log"}`
	for _, why := range []struct {
		err    error
		status int
		text   string
	}{
		{secret, 500, text},
		{fmt.Errorf("%w: %w", storage.ErrNoSpace, secret), 507, `{"error":"the registry has no space left"}`},
		{fmt.Errorf("%w: %w", storage.ErrUnavailable, secret), 503, `{"error":"the registry takes no changes at the moment: `},
	} {
		s.log.Reset()
		s.config.Accounts = broken{s.accounts, why.err}
		s.open()
		s.table([]row{
			{"GET /api/v1/users", "", why.status, why.text},
			{"POST /api/v1/users", `{}`, why.status, why.text},
			{"PUT /api/v1/users/a/password", `{}`, why.status, why.text},
			{"DELETE /api/v1/users/a", "", why.status, why.text},
			{"GET /api/v1/users/a", "", 500, text},
		})
		if n := strings.Count(s.log.String(), "level=ERROR"); n != 5 || !strings.Contains(s.log.String(), "/secret/berth.db") || !strings.Contains(s.log.String(), "a mistake") {
			t.Errorf("the log does not say why: %s", s.log)
		}
	}
	s.config.Accounts, s.config.Log = broken{s.accounts, nil}, slog.New(slog.DiscardHandler)
	s.open()
	s.table([]row{{"GET /api/v1/users", "", 200, "[]"}}) // nobody is no null
}

func TestHtpasswd(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.table([]row{
		{"POST /api/v1/htpasswd", `{"htpasswd":"erin:` + s.hash() + `\nalice:` + s.hash() + `\nmd5:$apr1$hunter2\n"}`, 200,
			`{"added":["erin"],"skipped":[{"line":2,"name":"alice","reason":"this user exists already"},{"line":3,"name":"md5","reason":"invalid: the hash is not bcrypt's (htpasswd -B makes such)"}]}`},
		{"POST /api/v1/htpasswd", `{"htpasswd":""}`, 200, `{"added":[],"skipped":[]}`},
		{"POST /api/v1/htpasswd", `{"htpasswd":"` + strings.Repeat("#", account.MaxImport) + `"}`, 200, `{"added":[],"skipped":[]}`},
		{"POST /api/v1/htpasswd", `{"htpasswd":"` + strings.Repeat("#", account.MaxImport+1) + `"}`, 400, "at most 1048576 bytes"},
		{"POST /api/v1/htpasswd", `{"htpasswd":"` + strings.Repeat("#", 2*account.MaxImport) + `"}`, 400, "not what this endpoint takes"},
		{"POST /api/v1/htpasswd", `{}`, 200, `{"added":[],"skipped":[]}`},
		{"POST /api/v1/htpasswd", ``, 400, "not what this endpoint takes"},
	})
	if !s.login("erin", password) {
		t.Error("erin cannot log in")
	}
}
