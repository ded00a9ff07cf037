package audit

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/berth-registry/berth/auth"
)

// Recorder takes entries.
type Recorder interface {
	Record(e Entry)
}

var _ Recorder = (*Log)(nil)

// Logins takes note of logins so that none is forgotten, whichever way it came:
// it wraps the verifiers of secrets, and is told of what passes none of them.
type Logins struct {
	next  auth.PasswordVerifier
	log   Recorder
	count func(credential string, o Outcome)

	mu     sync.Mutex
	recent map[arrival]time.Time // until when it is no news
}

// arrival is who came in from where.
type arrival struct {
	principal, credential string
	client                netip.Addr
}

var _ auth.PasswordVerifier = (*Logins)(nil)

// NewLogins returns a wrapper of next. count is called for each login with the
// form of what was shown.
func NewLogins(next auth.PasswordVerifier, log Recorder, count func(credential string, o Outcome)) *Logins {
	return &Logins{next: next, log: log, count: count, recent: make(map[arrival]time.Time)}
}

// Login is that of the verifier behind.
func (l *Logins) Login(ctx context.Context, c auth.Credentials, now time.Time) (auth.Principal, error) {
	p, err := l.next.Login(ctx, c, now)
	shown := p
	shown.Client = c.Client
	l.note(ctx, shown, form(c), claimed(c.Name), err, now)
	return p, err
}

// Redeemer wraps a redeemer of personal tokens that come without a name.
func (l *Logins) Redeemer(next auth.Redeemer) auth.Redeemer { return redeemer{l, next} }

type redeemer struct {
	logins *Logins
	next   auth.Redeemer
}

// Redeem is that of the redeemer behind.
func (r redeemer) Redeem(ctx context.Context, token string, client netip.Addr, now time.Time) (auth.Principal, error) {
	p, err := r.next.Redeem(ctx, token, client, now)
	shown := p
	shown.Client = client
	r.logins.note(ctx, shown, PersonalToken, "", err, now)
	return p, err
}

// Note records a login by what no verifier of secrets sees: a Browser or a
// Certificate. p has the client also where nobody has been let in; err is why
// not.
func (l *Logins) Note(ctx context.Context, p auth.Principal, credential string, err error, now time.Time) {
	l.note(ctx, p, credential, "", err, now)
}

// note records and counts a login. A right one that is repeated from the same
// address within a minute is one entry: curl sends its password with every
// request, and what it does there has entries of its own. Wrong ones are all
// recorded.
func (l *Logins) note(ctx context.Context, p auth.Principal, credential, account string, err error, now time.Time) {
	e := Entry{Time: now, Action: Login, Outcome: OK}.By(p)
	e.Credential = credential
	switch {
	case err == nil:
	case errors.Is(err, auth.ErrBadCredentials):
		e.Outcome, e.Account = Denied, account
	case errors.Is(err, auth.ErrDenied), errors.Is(err, auth.ErrMalformed), errors.Is(err, auth.ErrCertificate):
		e.Outcome, e.Account, e.Detail = Denied, account, err.Error()
	case errors.Is(err, auth.ErrTooManyLogins):
		e.Outcome, e.Account, e.Detail = Delayed, account, err.Error()
	case ctx.Err() != nil: // whoever asked does not know either
		e.Outcome, e.Account, e.Detail = Delayed, account, "the client did not wait for the answer"
	default:
		e.Outcome, e.Account = Failed, account
	}
	l.count(credential, e.Outcome)
	if err != nil || l.news(e) {
		l.log.Record(e)
	}
}

// How long, and how many, right logins are no news.
const (
	noNews    = time.Minute
	maxRecent = 10_000
)

func (l *Logins) news(e Entry) bool {
	a := arrival{e.Principal, e.Credential + e.ID, e.Client}
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Time.Before(l.recent[a]) {
		return false
	}
	if len(l.recent) >= maxRecent {
		clear(l.recent) // the price is a few entries twice
	}
	l.recent[a] = e.Time.Add(noNews)
	return true
}

// form says what was shown, by its looks, as auth.Door tells them apart.
func form(c auth.Credentials) string {
	switch {
	case strings.HasPrefix(c.Name, auth.RobotPrefix):
		return RobotSecret
	case strings.HasPrefix(c.Secret, auth.PersonalPrefix):
		return PersonalToken
	case auth.LooksLikeJWT(c.Secret):
		return OutsideToken
	}
	return Password
}

// claimed returns the ID of the account that a name means, if it has the form of
// one: people type a password into the field before.
func claimed(name string) string {
	if robot, ok := strings.CutPrefix(name, auth.RobotPrefix); ok && auth.CheckRobot(robot) == nil {
		return auth.Principal{Kind: auth.Robot, Name: robot}.ID()
	}
	if auth.CheckName(name) != nil || strings.HasPrefix(name, auth.SecretPrefix) {
		return ""
	}
	return auth.Principal{Kind: auth.User, Name: name}.ID()
}
