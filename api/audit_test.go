package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/api"
	"github.com/berth-registry/berth/audit"
	"github.com/berth-registry/berth/auth"
)

// entries writes what is in the trail since a number of entries, the oldest
// first: "outcome request status principal credential reference (detail)".
func (s *stack) entries(since int) string {
	s.Helper()
	found := s.trail.Find(audit.Filter{}, audit.MaxLimit)
	var texts []string
	for _, e := range found[:len(found)-since] {
		text := fmt.Sprintf("%s %s %d %s %s", e.Outcome, e.Request, e.Status, e.Principal, e.Credential)
		if e.Reference != "" {
			text += " " + e.Reference
		}
		if e.Detail != "" {
			text += " (" + e.Detail + ")"
		}
		if want := map[bool]audit.Action{true: audit.Token, false: audit.Admin}[e.Request == "startSession"]; e.Action != want || !e.Time.Equal(s.now) || e.Client.String() != "192.0.2.1" {
			text += fmt.Sprintf(" %s %v %v", e.Action, e.Time, e.Client)
		}
		texts = append([]string{text}, texts...)
	}
	return strings.Join(texts, "; ")
}

// TestAudit: every endpoint that changes something says in the trail what, and
// every endpoint says who was refused. By hand; one that is missing fails.
func TestAudit(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	later := s.now.Add(time.Hour).Format(time.RFC3339)
	const socket = " admin socket socket"
	admin, alice := basic("admin", password), basic("alice", password)
	var tokenID string
	done := map[string]bool{}
	for i, r := range []struct {
		as, do, body string
		status       int
		want         string
	}{
		{"", "POST /api/v1/users", `{"name":"dave","password":"correct horse","admin":true,"groups":["dev","ops"]}`, 201, "ok addUser 201" + socket + " dave (groups dev ops, administrator)"},
		{"", "POST /api/v1/users", `{"name":"erin","password":"correct horse","admin":true}`, 201, "ok addUser 201" + socket + " erin (administrator)"},
		{admin, "POST /api/v1/users", `{"name":"frank","password":"correct horse"}`, 201, "ok addUser 201 user:admin password frank"},
		{"", "POST /api/v1/users", `{"name":"dave","password":"correct horse"}`, 409, ""},
		{"", "PUT /api/v1/users/dave/password", `{"password":"battery staple"}`, 204, "ok setPassword 204" + socket + " dave"},
		{alice, "PUT /api/v1/me/password", `{"password":"correct horse"}`, 204, "ok setOwnPassword 204 user:alice password"},
		{"", "PUT /api/v1/users/dave/groups", `{"groups":["ops"]}`, 204, "ok setGroups 204" + socket + " dave (groups ops)"},
		{"", "PUT /api/v1/users/dave/groups", `{"groups":[]}`, 204, "ok setGroups 204" + socket + " dave (no groups)"},
		{"", "DELETE /api/v1/users/dave", "", 204, "ok removeUser 204" + socket + " dave"},
		{"", "DELETE /api/v1/users/dave", "", 404, ""},
		{"", "POST /api/v1/htpasswd", `{"htpasswd":"gina:` + s.hash() + `\nhugo:` + s.hash() + `\nalice:x\n"}`, 200, "ok importUsers 200" + socket + " (users gina hugo)"},

		{"", "POST /api/v1/robots", `{"name":"ci","rules":["team/**:pull,push"],"expires":"` + later + `"}`, 201, "ok addRobot 201" + socket + " ci (rules team/**:pull,push, until " + later + ")"},
		{"", "PATCH /api/v1/robots/ci", `{"disabled":true}`, 200, "ok disableRobot 200" + socket + " ci (disabled)"},
		{"", "PATCH /api/v1/robots/ci", `{"disabled":false}`, 200, "ok disableRobot 200" + socket + " ci (enabled)"},
		{"", "POST /api/v1/robots/ci/secret", "", 200, "ok renewRobot 200" + socket + " ci"},
		{"", "DELETE /api/v1/robots/ci", "", 204, "ok removeRobot 204" + socket + " ci"},

		{alice, "POST /api/v1/tokens", `{"name":"laptop","rules":["alice/**:pull"],"expires":"` + later + `"}`, 201, "ok addToken 201 user:alice password {id} (of alice, rules alice/**:pull, until " + later + ")"},
		{alice, "DELETE /api/v1/tokens/{id}", "", 204, "ok revokeToken 204 user:alice password {id}"},
		{alice, "POST /api/v1/session", "", 200, "ok startSession 200 user:alice password"},

		{"", "PUT /api/v1/limits/user:alice", `{"limit":7,"window":3600,"expires":"` + later + `"}`, 204, "ok setLimit 204" + socket + " user:alice (7 pulls per 1h, until " + later + ")"},
		{admin, "PUT /api/v1/limits/robot:ci", `{"limit":7}`, 204, "ok setLimit 204 user:admin password robot:ci (7 pulls)"},
		{"", "PUT /api/v1/limits/2001:db8::1", `{"limit":0}`, 204, "ok setLimit 204" + socket + " 2001:db8::1 (unlimited)"},
		{"", "PUT /api/v1/limits/user:alice", `{"limit":-7}`, 400, ""},
		{"", "DELETE /api/v1/limits/user:alice", "", 204, "ok unsetLimit 204" + socket + " user:alice"},
		{"", "POST /api/v1/limits/user:alice/reset", "", 204, "ok resetLimit 204" + socket + " user:alice"},

		{"", "GET /api/v1/users", "", 200, ""},
		{"", "GET /api/v1/audit", "", 200, ""},
		{"", "GET /api/v1/nowhere", "", 404, ""},
		{"", "POST /api/v1/nowhere", "{}", 404, ""},
	} {
		before := len(s.trail.Find(audit.Filter{}, audit.MaxLimit))
		h := s.network
		if r.as == "" {
			h = s.handler
		}
		rec := s.send(h, strings.ReplaceAll(r.do, "{id}", tokenID), r.as, r.body)
		var made api.MadeToken
		if json.Unmarshal(rec.Body.Bytes(), &made) == nil && made.Token.ID != "" {
			tokenID = made.Token.ID
		}
		if got, want := s.entries(before), strings.ReplaceAll(r.want, "{id}", tokenID); rec.Code != r.status || got != want {
			t.Errorf("row %d: %s: %d %s leaves\n\t%s\nwant\n\t%s", i+1, r.do, rec.Code, rec.Body, got, want)
		}
		if method, path, _ := strings.Cut(r.do, " "); strings.HasPrefix(r.want, "ok") {
			done[s.document.find(method, path).OperationID] = true
		}
	}
	s.eachOperation(func(do string, op operation) {
		if !strings.HasPrefix(do, "GET ") && !done[op.OperationID] {
			t.Errorf("no row has %s", do)
		}
	})
	trail := fmt.Sprint(s.trail.Find(audit.Filter{}, audit.MaxLimit))
	for _, secret := range []string{password, "battery staple", auth.PersonalPrefix, "berth_robot_", "$2"} {
		if strings.Contains(trail, secret) {
			t.Errorf("the trail tells %q", secret)
		}
	}
}

// TestAuditRefusals: whoever is refused anywhere is in the trail, but for who
// says nothing, and for logins, which are recorded where they are made.
func TestAuditRefusals(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.eachOperation(func(do string, op operation) {
		if op.OperationID == "document" {
			return
		}
		for as, want := range map[string]string{
			"":                               "",
			basic("admin", "wrong password"): "",
			"Bearer garbage":                 "denied " + op.OperationID + " 401 anonymous ",
			"Bearer berth_pat_x_y":           "",
			"Negotiate x":                    "denied " + op.OperationID + " 401 anonymous ",
		} {
			before := len(s.trail.Find(audit.Filter{}, audit.MaxLimit))
			s.send(s.network, do, as, "{}")
			if got := s.entries(before); !strings.HasPrefix(got, want) || want == "" && got != "" {
				t.Errorf("%s as %q leaves %s, want %s", do, as, got, want)
			}
		}
		before := len(s.trail.Find(audit.Filter{}, audit.MaxLimit))
		rec := s.send(s.network, do, basic("alice", password), "{}")
		got := s.entries(before)
		if (rec.Code == http.StatusForbidden) != strings.HasPrefix(got, "denied "+op.OperationID+" 403 user:alice password") {
			t.Errorf("%s by alice: %d leaves %s", do, rec.Code, got)
		}
	})
}

// TestAuditRefusedLogins: who is somebody elsewhere and may be nobody here has
// been refused by a login.
func TestAuditRefusedLogins(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.config.Auth = refuses{}
	s.open()
	s.eachOperation(func(do string, op operation) {
		if rec := s.send(s.network, do, basic("alice", password), "{}"); rec.Code != http.StatusForbidden && op.OperationID != "document" {
			t.Errorf("%s: %d %s", do, rec.Code, rec.Body)
		}
	})
	if got := s.entries(0); got != "" {
		t.Error(got)
	}
}

type refuses struct{}

func (refuses) Authenticate(*http.Request) (auth.Principal, error) {
	return auth.Principal{}, fmt.Errorf("%w: the name is taken", auth.ErrDenied)
}

// TestAuditFailures: a change that a failing store may have made is there; what
// only reads is not.
func TestAuditFailures(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.config.Accounts = broken{err: errors.New("down: /srv/berth.db")}
	s.open()
	s.send(s.handler, "DELETE /api/v1/users/alice", "", "")
	s.send(s.handler, "GET /api/v1/users", "", "")
	if got := s.entries(0); got != "failed removeUser 500 admin socket socket alice" {
		t.Error(got)
	}
}

func TestListAudit(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	at := func(n int) time.Time { return s.now.Add(time.Duration(n) * time.Second) }
	for i, e := range []audit.Entry{
		{Principal: "user:alice", Action: audit.Push, Outcome: audit.OK, Repository: "team/app"},
		{Principal: "user:bob", Action: audit.Push, Outcome: audit.Denied, Repository: "team/a/b"},
		{Principal: "anonymous", Account: "user:alice", Action: audit.Login, Outcome: audit.Denied},
		{Principal: "robot:ci", Action: audit.Token, Outcome: audit.OK},
	} {
		e.Time, e.Detail = at(i), fmt.Sprint(i)
		s.trail.Record(e)
	}
	for query, want := range map[string]string{
		"": "3 2 1 0", "n=2": "3 2", "n=99999": "3 2 1 0", "action=push": "1 0", "action=push&outcome=ok": "0", "outcome=denied": "2 1",
		"principal=alice": "2 0", "principal=user:alice": "2 0", "principal=robot:ci": "3", "principal=nobody": "",
		"repository=team/app": "0", "repository=team/**": "1 0", "since=" + at(2).Format(time.RFC3339): "3 2", "principal=": "3 2 1 0",
	} {
		rec := s.send(s.handler, "GET /api/v1/audit?"+query, "", "")
		var found []api.Entry
		if err := json.Unmarshal(rec.Body.Bytes(), &found); err != nil || found == nil {
			t.Errorf("%s: %v %s", query, err, rec.Body)
		}
		var got []string
		for _, e := range found {
			got = append(got, e.Detail)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", query, got, want)
		}
	}
	s.table([]row{
		{"GET /api/v1/audit?action=fly", "", 400, `no action \"fly\"`},
		{"GET /api/v1/audit?outcome=fine", "", 400, `no outcome \"fine\"`},
		{"GET /api/v1/audit?repository=a//b", "", 400, "query"},
		{"GET /api/v1/audit?since=yesterday", "", 400, "query"},
		{"GET /api/v1/audit?n=0", "", 400, "n is a number"},
		{"GET /api/v1/audit?n=-1", "", 400, "n is a number"},
	})
}

// TestTooManyWrongLogins: the caller is told for how long to wait.
func TestTooManyWrongLogins(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.config.Auth = failing{&auth.DelayError{Wait: 90 * time.Second}}
	s.open()
	rec := s.send(s.network, "GET /api/v1/me", "Basic x", "")
	if rec.Code != http.StatusTooManyRequests || rec.Header().Get("Retry-After") != "90" || !strings.Contains(rec.Body.String(), "try again in 90 s") {
		t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
	}
}
