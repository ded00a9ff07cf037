package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/ratelimit"
	"github.com/berth-registry/berth/ratelimit/pulls"
)

// Limits is what the API needs of the pull limits. Errors are those of
// pulls.Limiter.
type Limits interface {
	Look(ctx context.Context, who auth.Principal, repo string, now time.Time) (ratelimit.Decision, error)
	Top(ctx context.Context, n int, now time.Time) ([]ratelimit.Count, error)
	Reset(ctx context.Context, key ratelimit.Key) error
	Set(ctx context.Context, s pulls.Set) error
	Unset(ctx context.Context, key ratelimit.Key, now time.Time) error
	Sets(now time.Time) []pulls.Set
	Window() time.Duration
}

var _ Limits = (*pulls.Limiter)(nil)

// PullLimit is what somebody has left. Of who is unlimited only Key, Source and
// Unlimited are of meaning.
type PullLimit struct {
	Key       string `json:"key"`    // user:alice, robot:ci, outside:WHO:SUBJECT, 203.0.113.7, 2001:db8:1:2::/64
	Source    string `json:"source"` // as in the header docker-ratelimit-source
	Unlimited bool   `json:"unlimited"`
	Limit     int64  `json:"limit"`  // pulls
	Window    int64  `json:"window"` // seconds
	Used      int64  `json:"used"`
	Remaining int64  `json:"remaining"`
	Reset     int64  `json:"reset"` // seconds until there is more; 0 if nothing is used
}

// SetLimit is a limit that an administrator has set for a key.
type SetLimit struct {
	Key     string    `json:"key"`
	Limit   int64     `json:"limit"`  // pulls; 0 = unlimited
	Window  int64     `json:"window"` // seconds; 0 if unlimited
	By      string    `json:"by"`
	Set     time.Time `json:"set"`
	Expires time.Time `json:"expires,omitzero"` // absent: never
}

// NewLimit is the body of PUT /limits/{key}.
type NewLimit struct {
	Limit   int64     `json:"limit"`            // pulls; 0 = unlimited
	Window  int64     `json:"window,omitempty"` // seconds; 0: ratelimit.window
	Expires time.Time `json:"expires,omitzero"` // absent: never
}

// text is the limit as the audit trail has it.
func (n NewLimit) text() string {
	text := "unlimited"
	if n.Limit != 0 {
		text = strconv.FormatInt(n.Limit, 10) + " pulls"
	}
	if n.Limit != 0 && n.Window > 0 && n.Window <= int64(ratelimit.MaxWindow/time.Second) {
		text += " per " + ratelimit.Text(time.Duration(n.Window)*time.Second)
	}
	if n.Expires.IsZero() {
		return text
	}
	return text + ", until " + n.Expires.UTC().Format(time.RFC3339)
}

func (a *API) getOwnLimit(w http.ResponseWriter, r *http.Request, c caller) error {
	return a.showLimit(w, r, c.Principal)
}

func (a *API) showLimit(w http.ResponseWriter, r *http.Request, who auth.Principal) error {
	d, err := a.Limits.Look(r.Context(), who, "", a.Now())
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, pullLimit(pulls.Key(who), d))
}

func pullLimit(key ratelimit.Key, d ratelimit.Decision) PullLimit {
	source := key.Name()
	if key.Kind() == ratelimit.Robot {
		source = auth.RobotPrefix + source
	}
	l := PullLimit{Key: key.String(), Source: source, Unlimited: d.Limit.Unlimited()}
	if !l.Unlimited {
		l.Limit, l.Window = d.Limit.Pulls, int64(d.Limit.Window/time.Second)
		l.Used, l.Remaining, l.Reset = d.Used, d.Remaining, int64((d.Reset+time.Second-1)/time.Second)
	}
	return l
}

func (a *API) listLimits(w http.ResponseWriter, r *http.Request, _ caller) error {
	n, err := pageSize(r.URL.Query())
	if err != nil {
		return err
	}
	top, err := a.Limits.Top(r.Context(), n, a.Now())
	if err != nil {
		return err
	}
	list := make([]PullLimit, 0, len(top))
	for _, c := range top {
		list = append(list, pullLimit(c.Key, c.Decision))
	}
	return reply(w, http.StatusOK, list)
}

func (a *API) getLimit(w http.ResponseWriter, r *http.Request, _ caller) error {
	key, err := limitKey(r)
	if err != nil {
		return err
	}
	who, err := a.whose(r.Context(), key)
	if err != nil {
		return err
	}
	return a.showLimit(w, r, who)
}

var errKey = errors.New("not a key of a pull limit")

func limitKey(r *http.Request) (ratelimit.Key, error) {
	text, err := url.PathUnescape(chi.URLParam(r, "key"))
	if err != nil {
		return ratelimit.Key{}, errNoEndpoint
	}
	key, err := ratelimit.ParseKey(text)
	if err != nil {
		return key, fmt.Errorf("%w: %w", errKey, err)
	}
	return key, nil
}

// whose is the principal of a key, with its groups as far as they are known
// here. Who is known elsewhere, or no more, has none.
func (a *API) whose(ctx context.Context, key ratelimit.Key) (p auth.Principal, err error) {
	switch key.Kind() {
	case ratelimit.User:
		if p, err = a.Accounts.Owner(ctx, key.Name()); errors.Is(err, auth.ErrBadCredentials) {
			return auth.Principal{Kind: auth.User, Name: key.Name()}, nil
		}
		return p, err
	case ratelimit.Robot:
		return auth.Principal{Kind: auth.Robot, Name: key.Name()}, nil
	case ratelimit.Outside:
		return auth.Principal{Kind: auth.Outside, Name: key.Name()}, nil
	}
	return auth.Principal{Client: key.Addr()}, nil
}

func (a *API) resetLimit(w http.ResponseWriter, r *http.Request, _ caller) error {
	key, err := limitKey(r)
	if err != nil {
		return err
	}
	if err := a.Limits.Reset(r.Context(), key); err != nil {
		return err
	}
	return done(w)
}

func (a *API) setLimit(w http.ResponseWriter, r *http.Request, c caller) error {
	n, err := read[NewLimit](w, r)
	if err != nil {
		return err
	}
	key, err := limitKey(r)
	if err != nil {
		return err
	}
	limit := ratelimit.Limit{Pulls: n.Limit}
	switch {
	case n.Window < 0 || n.Window > int64(ratelimit.MaxWindow/time.Second):
		limit.Window = -1 // which no limit has
	case n.Limit != 0 && n.Window == 0:
		limit.Window = a.Limits.Window()
	case n.Limit != 0:
		limit.Window = time.Duration(n.Window) * time.Second
	}
	s := pulls.Set{Key: key, Limit: limit, By: c.id(), At: a.Now().UTC(), Expires: n.Expires.UTC()}
	if n.Expires.IsZero() {
		s.Expires = time.Time{}
	}
	if err := a.Limits.Set(r.Context(), s); err != nil {
		return err
	}
	return done(w)
}

func (a *API) unsetLimit(w http.ResponseWriter, r *http.Request, _ caller) error {
	key, err := limitKey(r)
	if err != nil {
		return err
	}
	if err := a.Limits.Unset(r.Context(), key, a.Now()); err != nil {
		return err
	}
	return done(w)
}

func (a *API) listSetLimits(w http.ResponseWriter, _ *http.Request, _ caller) error {
	list := []SetLimit{}
	for _, s := range a.Limits.Sets(a.Now()) {
		list = append(list, SetLimit{
			Key: s.Key.String(), Limit: s.Limit.Pulls, Window: int64(s.Limit.Window / time.Second), By: s.By, Set: s.At, Expires: s.Expires,
		})
	}
	return reply(w, http.StatusOK, list)
}
