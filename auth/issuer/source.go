package issuer

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berth-registry/berth/auth/internal/reason"
)

const (
	refreshEvery = 15 * time.Minute // while all is well
	retryFirst   = 10 * time.Second // after a failure; twice as long after the next
	askAgain     = 30 * time.Second // between two requests that tokens with unknown keys make
	waitFor      = 5 * time.Second  // a token waits for such a request
)

// source is where the keys of an issuer come from, and those that it gave last.
type source struct {
	issuer string
	where  string // a file, a URL, or "" for discovery
	client *http.Client
	log    *slog.Logger
	keys   atomic.Pointer[keySet] // nil until the first success

	mu     sync.Mutex
	flight chan struct{} // closed when the fetch under way has ended; nil if none is
	tried  time.Time     // when the last fetch began
	failed int           // fetches in a row
}

func (s *source) isFile() bool { return s.where != "" && !strings.Contains(s.where, "://") }

// find is keySet.find on the keys as they are, and where those do not have it
// once more on what the source has by now, which is waited for. It returns the
// set that had the key.
func (s *source) find(ctx context.Context, id, algorithm string, now time.Time) (*keySet, any, error) {
	set := s.keys.Load()
	key, err := set.find(id, algorithm)
	if !errors.Is(err, errNoKeys) && !errors.Is(err, reason.ErrUnknownKey) || !s.ask(ctx, now) {
		return set, key, err
	}
	set = s.keys.Load()
	key, err = set.find(id, algorithm)
	return set, key, err
}

// ask waits until the source was asked. It is false if that was a moment ago
// and is not under way, or takes too long.
func (s *source) ask(ctx context.Context, now time.Time) bool {
	s.mu.Lock()
	if s.flight == nil && now.Sub(s.tried) >= askAgain {
		s.start(now)
	}
	flight := s.flight
	s.mu.Unlock()
	if flight == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, waitFor)
	defer cancel()
	select {
	case <-flight:
		return true
	case <-ctx.Done():
		return false
	}
}

// refresh begins a fetch if it is time for one.
func (s *source) refresh(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight == nil && now.Sub(s.tried) >= s.pause() {
		s.start(now)
	}
}

// pause is how long after the last fetch the next one is due.
func (s *source) pause() time.Duration {
	if s.failed == 0 {
		return refreshEvery
	}
	return min(retryFirst<<min(s.failed-1, 10), refreshEvery)
}

// start fetches in the background; the lock is held. Whoever waits may go away:
// the fetch is for all.
func (s *source) start(now time.Time) {
	s.flight, s.tried = make(chan struct{}), now
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), fetchFor)
		defer cancel()
		set, err := s.fetch(ctx)
		s.ended(set, err)
	}()
}

func (s *source) ended(set *keySet, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failed++
		s.log.Warn("no keys from an outside issuer", "issuer", s.issuer, "keeps", s.keys.Load().len(), "error", err)
	} else {
		s.failed = 0
		s.put(set)
	}
	close(s.flight)
	s.flight = nil
}

// put keeps the set that is there if it is the same: what it has verified stays
// remembered.
func (s *source) put(set *keySet) {
	if old := s.keys.Load(); old != nil && old.sum == set.sum {
		return
	}
	s.keys.Store(set)
	s.log.Info("keys of an outside issuer", "issuer", s.issuer, "keys", set.len())
}

func (s *source) fetch(ctx context.Context) (*keySet, error) {
	data, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	return parseKeys(data)
}

func (s *source) read(ctx context.Context) ([]byte, error) {
	if s.isFile() {
		return readFile(s.where)
	}
	url := s.where
	if url == "" {
		var err error
		if url, err = discover(ctx, s.client, s.issuer); err != nil {
			return nil, err
		}
	}
	return get(ctx, s.client, url)
}

func (s *keySet) len() int {
	if s == nil {
		return 0
	}
	return len(s.keys)
}
