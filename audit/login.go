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

// Logins wraps a verifier of secrets so that no login is forgotten, whichever
// way it came.
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

// Login is that of the verifier behind. A right login that is repeated from the
// same address within a minute is one: curl sends its password with every
// request, and what it does there has entries of its own. Wrong ones are all
// recorded.
func (l *Logins) Login(ctx context.Context, c auth.Credentials, now time.Time) (auth.Principal, error) {
	p, err := l.next.Login(ctx, c, now)
	shown := p
	shown.Client = c.Client
	e := Entry{Time: now, Action: Login, Outcome: OK}.By(shown)
	e.Credential = form(c)
	switch {
	case err == nil:
	case errors.Is(err, auth.ErrBadCredentials):
		e.Outcome, e.Account = Denied, claimed(c.Name)
	case errors.Is(err, auth.ErrTooManyLogins):
		e.Outcome, e.Account, e.Detail = Delayed, claimed(c.Name), err.Error()
	case ctx.Err() != nil: // whoever asked does not know either
		return p, err
	default:
		e.Outcome, e.Account = Failed, claimed(c.Name)
	}
	l.count(form(c), e.Outcome)
	if err != nil || l.news(e) {
		l.log.Record(e)
	}
	return p, err
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
	if auth.CheckName(name) != nil || strings.HasPrefix(name, auth.PersonalPrefix) {
		return ""
	}
	return auth.Principal{Kind: auth.User, Name: name}.ID()
}
