package api

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/berth-registry/berth/auth/account"
)

// Me tells who the client is to the server.
func (c *Client) Me(ctx context.Context) (me Me, err error) {
	return me, c.call(ctx, http.MethodGet, "/me", nil, &me)
}

// Users lists all users.
func (c *Client) Users(ctx context.Context) ([]User, error) {
	return pages(ctx, c, "/users", url.Values{}, func(u User) string { return u.Name })
}

// AddUser adds a user.
func (c *Client) AddUser(ctx context.Context, u NewUser) error {
	return c.call(ctx, http.MethodPost, "/users", u, nil)
}

// RemoveUser removes a user.
func (c *Client) RemoveUser(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, "/users/"+url.PathEscape(name), nil, nil)
}

// SetPassword changes a user's password.
func (c *Client) SetPassword(ctx context.Context, name, password string) error {
	return c.call(ctx, http.MethodPut, "/users/"+url.PathEscape(name)+"/password", Password{password}, nil)
}

// SetGroups replaces the groups of a user.
func (c *Client) SetGroups(ctx context.Context, name string, groups []string) error {
	return c.call(ctx, http.MethodPut, "/users/"+url.PathEscape(name)+"/groups", Groups{groups}, nil)
}

// ImportUsers adds the users of an htpasswd file.
func (c *Client) ImportUsers(ctx context.Context, htpasswd string) (done account.Imported, err error) {
	return done, c.call(ctx, http.MethodPost, "/htpasswd", Htpasswd{htpasswd}, &done)
}

// Robots lists all robots.
func (c *Client) Robots(ctx context.Context) ([]Robot, error) {
	return pages(ctx, c, "/robots", url.Values{}, func(r Robot) string { return r.Name })
}

// AddRobot adds a robot.
func (c *Client) AddRobot(ctx context.Context, n NewRobot) (made MadeRobot, err error) {
	return made, c.call(ctx, http.MethodPost, "/robots", n, &made)
}

// RenewRobot gives a robot another secret.
func (c *Client) RenewRobot(ctx context.Context, name string) (made MadeRobot, err error) {
	return made, c.call(ctx, http.MethodPost, "/robots/"+url.PathEscape(name)+"/secret", nil, &made)
}

// DisableRobot disables or enables a robot.
func (c *Client) DisableRobot(ctx context.Context, name string, disabled bool) error {
	return c.call(ctx, http.MethodPatch, "/robots/"+url.PathEscape(name), RobotChange{disabled}, nil)
}

// RemoveRobot removes a robot.
func (c *Client) RemoveRobot(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, "/robots/"+url.PathEscape(name), nil, nil)
}

// Tokens lists personal tokens: of an owner, or if that is empty all that the
// client may see.
func (c *Client) Tokens(ctx context.Context, owner string) ([]Token, error) {
	query := url.Values{}
	if owner != "" {
		query.Set("owner", owner)
	}
	return pages(ctx, c, "/tokens", query, func(t Token) string { return t.ID })
}

// AddToken makes a personal token.
func (c *Client) AddToken(ctx context.Context, n NewToken) (made MadeToken, err error) {
	return made, c.call(ctx, http.MethodPost, "/tokens", n, &made)
}

// RevokeToken revokes a personal token.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/tokens/"+url.PathEscape(id), nil, nil)
}

// Subject is who a question is about. None of user, robot and groups means
// nobody who is known.
type Subject struct {
	User, Robot string
	Groups      []string
	Client      string // address; "": not known
}

// Explain asks whether somebody may take actions, with commas between them, on
// a repository, and why.
func (c *Client) Explain(ctx context.Context, s Subject, actions, repository string) (e Explanation, err error) {
	query := url.Values{"action": {actions}, "repository": {repository}}
	for name, value := range map[string]string{"user": s.User, "robot": s.Robot, "client": s.Client} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if s.Groups != nil {
		query["group"] = s.Groups
	}
	return e, c.call(ctx, http.MethodGet, "/explain?"+query.Encode(), nil, &e)
}

// AuditQuery says which entries of the audit trail are wanted. What is empty
// does not matter.
type AuditQuery struct {
	Principal, Action, Outcome, Repository string
	Since                                  time.Time
	N                                      int // entries at most; 0: 100
}

// Audit lists the newest entries that the server remembers, the newest first.
func (c *Client) Audit(ctx context.Context, q AuditQuery) (found []Entry, err error) {
	query := url.Values{}
	for name, value := range map[string]string{"principal": q.Principal, "action": q.Action, "outcome": q.Outcome, "repository": q.Repository} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if !q.Since.IsZero() {
		query.Set("since", q.Since.Format(time.RFC3339Nano))
	}
	if q.N != 0 {
		query.Set("n", strconv.Itoa(q.N))
	}
	return found, c.call(ctx, http.MethodGet, "/audit?"+query.Encode(), nil, &found)
}

// Limits lists the n that have used most of the pull limit.
func (c *Client) Limits(ctx context.Context, n int) (list []PullLimit, err error) {
	return list, c.call(ctx, http.MethodGet, "/limits?n="+strconv.Itoa(n), nil, &list)
}

// Limit tells what a key has left of the pull limit; "me" is the client's own.
func (c *Client) Limit(ctx context.Context, key string) (l PullLimit, err error) {
	return l, c.call(ctx, http.MethodGet, "/limits/"+url.PathEscape(key), nil, &l)
}

// ResetLimit forgets what a key has used.
func (c *Client) ResetLimit(ctx context.Context, key string) error {
	return c.call(ctx, http.MethodPost, "/limits/"+url.PathEscape(key)+"/reset", nil, nil)
}

// SetLimits lists the limits that were set while serving.
func (c *Client) SetLimits(ctx context.Context) (list []SetLimit, err error) {
	return list, c.call(ctx, http.MethodGet, "/limits/set", nil, &list)
}

// SetLimit sets the limit of a key.
func (c *Client) SetLimit(ctx context.Context, key string, n NewLimit) error {
	return c.call(ctx, http.MethodPut, "/limits/"+url.PathEscape(key), n, nil)
}

// UnsetLimit removes what was set for a key.
func (c *Client) UnsetLimit(ctx context.Context, key string) error {
	return c.call(ctx, http.MethodDelete, "/limits/"+url.PathEscape(key), nil, nil)
}

// Usage reads the report of a time, row by row.
func (c *Client) Usage(ctx context.Context, from, to time.Time) iter.Seq2[UsageRow, error] {
	query := url.Values{"from": {from.UTC().Format(time.RFC3339)}, "to": {to.UTC().Format(time.RFC3339)}}
	return rows[UsageRow](ctx, c, "/usage?"+query.Encode())
}
