package guess

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/proof"
)

// Guard stands in front of a verifier of secrets that can be guessed. It may be
// used concurrently.
type Guard struct {
	next  auth.PasswordVerifier
	proof proof.Maker

	mu     sync.Mutex
	memory *memory
}

var _ auth.PasswordVerifier = (*Guard)(nil)

// New returns a Guard in front of next.
func New(next auth.PasswordVerifier) *Guard {
	return &Guard{next: next, proof: proof.NewMaker(), memory: newMemory(maxAccounts, maxNetworks)}
}

// Login is that of the verifier behind, or an *auth.DelayError, at once, if the
// account from this client has to wait. Whether there is such an account makes
// no difference. now must not go backwards.
func (g *Guard) Login(ctx context.Context, c auth.Credentials, now time.Time) (auth.Principal, error) {
	t := g.attempt(c)
	if wait := g.begin(t, now); wait > 0 {
		return auth.Principal{}, &auth.DelayError{Wait: wait}
	}
	p, err := g.next.Login(ctx, c, now)
	g.end(t, err, now)
	return p, err
}

func (g *Guard) begin(t attempt, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.memory.begin(t, now)
}

// end takes note of what the verifier said. Who did not wait for that pays like
// somebody who was wrong: a client that hangs up has made the verifier work. If
// it said nothing, the secret stays counted: the same one may be tried again at
// once.
func (g *Guard) end(t attempt, err error, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case err == nil:
		g.memory.accepted(t)
	case errors.Is(err, auth.ErrBadCredentials), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		g.memory.refused(t, now)
	}
}

// Remembered counts the accounts, each with its client, and the networks of
// which wrong secrets are known.
func (g *Guard) Remembered(now time.Time) (accounts, networks int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.memory.accounts.sweep(now)
	g.memory.networks.sweep(now)
	return len(g.memory.accounts.entries), len(g.memory.networks.entries)
}

// attempt replaces name and secret by what tells nothing of them. Names that
// differ in case only are one: a directory may take them for one.
func (g *Guard) attempt(c auth.Credentials) attempt {
	from, name := client(c.Client).String(), strings.ToLower(c.Name)
	who, what := g.proof.Of(from, name), g.proof.Of(from, name, c.Secret)
	return attempt{
		account: account(who[:len(account{})]),
		secret:  secret(binary.BigEndian.Uint64(what[:]) | 1), // 0 is none
		client:  c.Client,
	}
}
