package issuer

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/cache"
)

const maxToken = 64 << 10 // bytes

// Issuers are the outside issuers that are trusted. They may be used
// concurrently.
type Issuers struct {
	client *http.Client
	log    *slog.Logger
	trust  atomic.Pointer[Trust]
}

var (
	_ auth.TokenVerifier    = (*Issuers)(nil)
	_ auth.PasswordVerifier = (*Issuers)(nil)
	_ auth.Standing         = (*Issuers)(nil)
)

// New returns Issuers that trust nobody. Without a transport, requests go over
// one like http.DefaultTransport.
func New(log *slog.Logger, transport http.RoundTripper) *Issuers {
	if transport == nil {
		transport = newTransport()
	}
	i := &Issuers{client: newClient(transport), log: log}
	i.trust.Store(newTrust())
	return i
}

// Use puts into force what Prepare has read. Tokens that were verified before
// are verified again.
func (i *Issuers) Use(t *Trust) { i.trust.Store(t) }

// Refresh begins to fetch the keys that it is time for: none yet, 15 minutes
// old, or sooner after a failure. It waits for nothing.
func (i *Issuers) Refresh(now time.Time) {
	for _, t := range i.trust.Load().byIssuer {
		t.source.refresh(now)
	}
}

// Run refreshes until ctx ends.
func (i *Issuers) Run(ctx context.Context) {
	ticker := time.NewTicker(retryFirst)
	defer ticker.Stop()
	for {
		i.Refresh(time.Now())
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Verify returns the principal of a bearer token of an issuer whose registry
// tokens are trusted, with what it holds. Every error wraps
// auth.ErrInvalidToken and has nothing of the token in its text.
func (i *Issuers) Verify(raw string, now time.Time) (auth.Principal, error) {
	p, err := i.verify(context.Background(), raw, Registry, now)
	if err != nil {
		return auth.Principal{}, fmt.Errorf("%w: %w", auth.ErrInvalidToken, err)
	}
	return p, nil
}

// Login returns the principal whose identity token the secret is; the name
// beside it does not matter. It expires with the token. Every error wraps
// auth.ErrBadCredentials and has nothing of the token in its text.
func (i *Issuers) Login(ctx context.Context, c auth.Credentials, now time.Time) (auth.Principal, error) {
	p, err := i.verify(ctx, c.Secret, Identity, now)
	if err != nil {
		return auth.Principal{}, fmt.Errorf("%w: the identity token is refused: %w", auth.ErrBadCredentials, err)
	}
	return p, nil
}

// Standing reports whether every entry that let p in is still there as it was.
// An error that wraps auth.ErrInvalidToken if not.
func (i *Issuers) Standing(_ context.Context, p auth.Principal, _ time.Time) error {
	t := i.trust.Load()
	for id := range strings.SplitSeq(p.Credential, separator) {
		if p.Kind != auth.Outside || !t.entries[id] {
			return fmt.Errorf("%w: %w", auth.ErrInvalidToken, errNotValid)
		}
	}
	return nil
}

func (i *Issuers) verify(ctx context.Context, raw string, tokens Tokens, now time.Time) (auth.Principal, error) {
	if len(raw) > maxToken {
		return auth.Principal{}, errTooLong
	}
	trust := i.trust.Load()
	it := proof{cache.Token(raw), tokens}
	if p, ok := trust.recall(it, now); ok {
		return p, nil
	}
	v, err := trust.verify(ctx, raw, tokens, now)
	if err == nil && memorable(raw, v.who) {
		trust.remembered.Put(it, v, v.who.Expires)
	}
	return v.who, err
}
