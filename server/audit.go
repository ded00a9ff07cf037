package server

import (
	"cmp"
	"errors"
	"net/http"
	"strings"

	"github.com/berth-registry/berth/audit"
	"github.com/berth-registry/berth/auth"
)

// record writes into the audit trail what a request has changed, that a token
// was issued, or that it was refused. It comes after the handler and before
// net/http sends what the handler has written, which is small wherever something
// has changed: who reads the answer can read the trail.
//
// The logins, refused ones too, are recorded where they are made, by
// audit.Logins, but for those by a refresh token. A request without credentials
// is no refusal: it is how every client begins.
func (s *Server) record(r *http.Request, h http.Header, status int, c call, err error) {
	outcome := c.outcome(status, err)
	if outcome == "" {
		return
	}
	c.who.Client = s.proxies.Client(r)
	e := audit.Entry{
		Time: s.now(), Action: c.action(), Request: c.Kind.String(), Outcome: outcome, Status: status,
		Repository: c.Repo, Reference: cmp.Or(c.Reference.Tag, c.made), Digest: c.content(h),
	}.By(c.who)
	switch {
	case c.shown != "":
		e.Credential = c.shown
	case errors.Is(err, auth.ErrInvalidToken):
		e.Credential = audit.RegistryToken
	}
	e.Detail = c.detail(outcome, err)
	s.audit.Record(e)
}

// outcome is what the audit trail says of a request; "" if it does not belong
// there.
func (c *call) outcome(status int, err error) audit.Outcome {
	right := (*auth.AccessError)(nil) // that is missing
	switch {
	case c.Kind == LoginCallback:
		return c.ended(err)
	case errors.As(err, &right), errors.Is(err, auth.ErrInvalidToken), errors.Is(err, auth.ErrMalformed),
		errors.Is(err, auth.ErrBadCredentials) && c.shown == audit.RefreshToken:
		return audit.Denied
	case c.Kind == Token && err == nil:
		return audit.OK
	case c.route == nil || c.route.changes == 0:
		return ""
	case status == c.route.changes:
		return audit.OK
	case status >= statusClientGone:
		return audit.Failed
	}
	return ""
}

// ended is what the audit trail says of the personal token that a browser login
// was to end in; "" if nobody was let in.
func (c *call) ended(err error) audit.Outcome {
	switch {
	case c.made != "":
		return audit.OK
	case c.who.Kind == auth.Anonymous:
		return ""
	case errors.Is(err, auth.ErrDenied):
		return audit.Denied
	}
	return audit.Failed
}

// action is what the request is for.
func (c *call) action() audit.Action {
	switch {
	case c.Kind == Token, c.Kind == LoginCallback:
		return audit.Token
	case c.Kind == ListRepositories, c.Kind == Search:
		return audit.List
	case c.route == nil || c.route.needs == 0:
		return audit.Ping
	case c.route.needs.Has(auth.Delete):
		return audit.Delete
	case c.route.needs.Has(auth.Push):
		return audit.Push
	}
	return audit.Pull
}

// content is the digest of what the request was about: the one that the answer
// gives comes first, for a push by tag names none.
func (c *call) content(answer http.Header) string {
	for _, d := range []string{
		answer.Get("Docker-Content-Digest"), string(c.Digest), string(c.Reference.Digest), string(c.Query.Digest), string(c.Query.Mount),
	} {
		if d != "" {
			return d
		}
	}
	return ""
}

func (c *call) detail(o audit.Outcome, err error) string {
	switch {
	case o == audit.Denied:
		return err.Error()
	case o != audit.OK:
		return ""
	case c.Kind == Token:
		return join(c.granted)
	case c.Kind == LoginCallback:
		return "a personal token"
	case c.Query.Mount != "":
		return "mounted from " + orAnywhere(c.Query.From)
	case len(c.Query.Tags) > 0:
		return "tags " + strings.Join(c.Query.Tags, " ")
	}
	return ""
}

func orAnywhere(repo string) string {
	if repo == "" {
		return "anywhere"
	}
	return repo
}
