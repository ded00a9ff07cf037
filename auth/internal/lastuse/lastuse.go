// Package lastuse records when credentials were used last: seldom, and behind
// the answer. A login never waits for it, and what is lost is made up for by
// the next one.
//
//	login ──▶ Note(id, last, now) ── noted in this hour? ── a few at a time ──▶ write
package lastuse

import (
	"context"
	"sync"
	"time"

	"github.com/berth-registry/berth/auth/internal/cache"
)

const (
	// Every is how old a record gets before it is written anew: the most that
	// it is behind, and the least between two writes for one credential.
	Every = time.Hour

	maxNoted = 10_000
	parallel = 4
	patience = 10 * time.Second // of one write
)

// Recorder writes down uses. It may be used concurrently.
type Recorder struct {
	write  func(ctx context.Context, id string, at time.Time) error
	mu     sync.Mutex // of noted, from the look to the note
	noted  *cache.Cache[string, struct{}]
	slots  chan struct{}
	active sync.WaitGroup
}

// New returns a Recorder that calls write from goroutines of its own.
func New(write func(ctx context.Context, id string, at time.Time) error) *Recorder {
	return &Recorder{write: write, noted: cache.New[string, struct{}](maxNoted), slots: make(chan struct{}, parallel)}
}

// Note says that a credential is used now, and last according to its row. It
// returns at once; if too many writes are under way this use is not recorded.
func (r *Recorder) Note(id string, last, now time.Time) {
	if now.Sub(last) < Every {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, done := r.noted.Get(id, now); done {
		return
	}
	select {
	case r.slots <- struct{}{}:
	default:
		return
	}
	r.noted.Put(id, struct{}{}, now.Add(Every))
	r.active.Go(func() {
		defer func() { <-r.slots }()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if r.write(ctx, id, now) != nil { // nobody is left to be told: the next use tries again
			r.noted.Forget(id)
		}
	})
}

// Close waits for the writes under way. Nothing may be noted any more.
func (r *Recorder) Close() { r.active.Wait() }
