package account

import (
	"context"
	"errors"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/proof"
	"github.com/berth-registry/berth/oci"
	"golang.org/x/crypto/bcrypt"
)

// rememberFor is how long the result of a bcrypt is remembered.
const rememberFor = time.Minute

// attempt is a login that is to be compared.
type attempt struct {
	key            proof.Proof // of name, password and hash
	account        string      // "" for all names that nobody has
	hash, password string
	now            time.Time
}

// Login returns the principal whose name and password these are. Where they
// come from does not matter here.
// auth.ErrBadCredentials if they are nobody's; auth.ErrTooManyLogins, at once,
// if too many others wait; the error of ctx if it ends while other logins are
// checked; any other error is the store's.
//
// An unknown name costs as much time as a wrong password. So does one that is
// impossible, such as a longer password than can be set. What was compared in
// the last minute is remembered, right or wrong, so that a client which repeats
// itself costs one bcrypt and never waits.
//
// All names that nobody has share the places of one account, so that guesses
// at them hold up nobody else. The price: while somebody keeps these places
// taken, a refusal tells such a name from one that is known.
func (a *Accounts) Login(ctx context.Context, c auth.Credentials, now time.Time) (auth.Principal, error) {
	t := attempt{password: c.Secret, now: now}
	var p auth.Principal
	if oci.ValidComponent(c.Name) {
		u, err := a.find(ctx, c.Name)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return auth.Principal{}, err
		}
		if err == nil {
			t.account, t.hash, p = c.Name, u.Bcrypt, principal(u)
		}
	}
	if t.hash == "" {
		t.hash = a.dummy(a.cost)
	}
	t.key = a.proof.Of(c.Name, c.Secret, t.hash)
	right, err := a.compare(ctx, t)
	if err != nil {
		return auth.Principal{}, err
	}
	if !right || p.Kind != auth.User {
		return auth.Principal{}, auth.ErrBadCredentials
	}
	return p, nil
}

// compare answers from memory or by bcrypt.
func (a *Accounts) compare(ctx context.Context, t attempt) (bool, error) {
	// Under one lock an attempt is remembered, in the queue, or new: what has
	// ended a moment ago is neither compared again nor refused.
	a.queue.mu.Lock()
	if right, known := a.recall(t.key, t.now); known {
		a.queue.mu.Unlock()
		return right, nil
	}
	c, err := a.queue.join(t.key, t.account, func() bool { return a.check(t) })
	a.queue.mu.Unlock()
	if err != nil {
		return false, err
	}
	return a.queue.wait(ctx, c)
}

// check runs bcrypt and remembers the result. Right and wrong ones are kept
// apart: whoever guesses cannot push out those who log in.
func (a *Accounts) check(t attempt) bool {
	right := a.fits(t.hash, t.password)
	if right {
		a.good.Put(t.key, struct{}{}, t.now.Add(rememberFor))
	} else {
		a.makeUp(t.hash, t.password)
		a.bad.Put(t.key, struct{}{}, t.now.Add(rememberFor))
	}
	return right
}

// makeUp does the work that a hash of a lower cost than that of new ones has
// saved, so that a wrong password takes as long as an unknown name: each cost
// is twice the work of the one before, hence 2^n = 2^c + (2^c + … + 2^(n-1)).
// Who has the right password learns nothing from the time. A hash of a higher
// cost still takes longer than an unknown name.
func (a *Accounts) makeUp(hash, password string) {
	cost, _ := bcrypt.Cost([]byte(hash)) // 0 for what is no hash, and took no time
	for c := max(cost, bcrypt.MinCost); c < a.cost; c++ {
		a.fits(a.dummy(c), password)
	}
}

func (a *Accounts) recall(key proof.Proof, now time.Time) (right, known bool) {
	if _, ok := a.good.Get(key, now); ok {
		return true, true
	}
	_, ok := a.bad.Get(key, now)
	return false, ok
}
