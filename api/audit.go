package api

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/berth-registry/berth/audit"
	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
)

// Audit is what the API needs of the audit trail.
type Audit interface {
	audit.Recorder
	Find(f audit.Filter, limit int) []audit.Entry
}

var _ Audit = (*audit.Log)(nil)

// Entry is an entry of the audit trail.
type Entry = audit.Entry

// record writes into the audit trail what was changed, or refused. It comes
// after the endpoint and before net/http sends the answer. The logins are
// recorded where they are made, by audit.Logins. A request without credentials
// is no refusal.
func (a *API) record(rt route, r *http.Request, n *noted, c caller, err error) {
	outcome := rt.outcome(c, n.status, err)
	if outcome == "" {
		return
	}
	e := audit.Entry{
		Time: a.Now(), Action: audit.Admin, Request: rt.name, Outcome: outcome, Status: n.status, Reference: n.about, Detail: n.detail,
	}.By(c.Principal)
	if rt.name == "startSession" {
		e.Action = audit.Token
	}
	if c.socket {
		e.Principal, e.Credential = c.id(), audit.Socket
	}
	e.Reference = cmp.Or(named(r), e.Reference)
	if outcome == audit.Denied {
		e.Detail = err.Error()
	}
	if errors.Is(err, auth.ErrInvalidToken) {
		e.Credential = audit.RegistryToken
	}
	a.Audit.Record(e)
}

// named is whom or what the path of a request names; "" if nobody. The router
// that the API is mounted in has a parameter of its own, which is all of the path.
func named(r *http.Request) string {
	params := chi.RouteContext(r.Context()).URLParams
	var parts []string
	for i, key := range params.Keys {
		if key != "*" {
			parts = append(parts, params.Values[i])
		}
	}
	return strings.Join(parts, "/")
}

// outcome is what the audit trail says of a request; "" if it does not belong
// there.
func (rt route) outcome(c caller, status int, err error) audit.Outcome {
	changes := rt.method != http.MethodGet
	switch {
	case rt.name == "": // no endpoint
	case err == nil && changes:
		return audit.OK
	case errors.Is(err, auth.ErrDenied) && c.Kind == auth.Anonymous && !c.socket: // a login
	case status == http.StatusForbidden, errors.Is(err, auth.ErrInvalidToken), errors.Is(err, auth.ErrMalformed):
		return audit.Denied
	case status >= http.StatusInternalServerError && changes:
		return audit.Failed
	}
	return ""
}

// noted is an answer with what the audit trail should know of it.
type noted struct {
	http.ResponseWriter
	status        int
	about, detail string
}

func (n *noted) WriteHeader(status int) {
	n.status = status
	n.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (n *noted) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// note takes from what was read or is answered whom or what it is about, and
// what changes: never a secret.
func note(w http.ResponseWriter, v any) {
	n, ok := w.(*noted)
	if !ok {
		return
	}
	switch v := v.(type) {
	case NewUser:
		n.about, n.detail = v.Name, listed("groups", v.Groups)
		if v.Admin {
			n.detail = strings.TrimPrefix(n.detail+", administrator", ", ")
		}
	case Groups:
		n.detail = cmp.Or(listed("groups", v.Groups), "no groups")
	case account.Imported:
		n.detail = listed("users", v.Added)
	case NewRobot:
		n.about, n.detail = v.Name, reach(v.Rules, v.Expires)
	case RobotChange:
		n.detail = map[bool]string{true: "disabled", false: "enabled"}[v.Disabled]
	case NewLimit:
		n.detail = v.text()
	case MadeToken:
		n.about, n.detail = v.Token.ID, "of "+v.Token.Owner+", "+reach(v.Token.Rules, v.Token.Expires)
	}
}

func reach(rules []string, expires time.Time) string {
	text := cmp.Or(listed("rules", rules), "no rules")
	if expires.IsZero() {
		return text
	}
	return text + ", until " + expires.UTC().Format(time.RFC3339)
}

func listed(what string, list []string) string {
	if len(list) == 0 {
		return ""
	}
	return what + " " + strings.Join(list, " ")
}

// listAudit answers with the newest entries that are remembered, the newest
// first.
func (a *API) listAudit(w http.ResponseWriter, r *http.Request, _ caller) error {
	filter, n, err := parseFilter(r.URL.Query())
	if err != nil {
		return fmt.Errorf("%w: %w", errQuery, err)
	}
	return reply(w, http.StatusOK, a.Audit.Find(filter, n))
}

func parseFilter(query url.Values) (f audit.Filter, limit int, err error) {
	f.Principal, limit = query.Get("principal"), audit.DefaultLimit
	parse := func(name string, set func(value string) error) {
		if value := query.Get(name); value != "" && err == nil {
			err = set(value)
		}
	}
	parse("action", func(v string) (err error) { f.Action, err = audit.ParseAction(v); return err })
	parse("outcome", func(v string) (err error) { f.Outcome, err = audit.ParseOutcome(v); return err })
	parse("repository", func(v string) error {
		p, err := auth.ParsePattern(v)
		f.Repository = &p
		return err
	})
	parse("since", func(v string) (err error) { f.Since, err = time.Parse(time.RFC3339, v); return err })
	parse("n", func(v string) error {
		n, err := strconv.ParseUint(v, 10, 32)
		limit = int(min(n, audit.MaxLimit))
		if err != nil || n == 0 {
			return errors.New("n is a number of entries")
		}
		return nil
	})
	return f, limit, err
}
