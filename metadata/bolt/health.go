package bolt

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/berth-registry/berth/storage"
)

// health is what has gone wrong with the database for good.
type health struct {
	mu     sync.Mutex
	broken error // why nothing is written any more

	// dead is closed when bbolt has panicked while it held its locks: whoever
	// calls it now waits for ever. isDead says the same, quickly.
	dead   chan struct{}
	isDead atomic.Bool
}

func newHealth() *health { return &health{dead: make(chan struct{})} }

// breakDown refuses all writes from now on and returns the error for them:
// memory and disk may disagree.
func (h *health) breakDown(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.broken == nil {
		h.broken = fmt.Errorf("%w: the database takes no writes until berth is restarted: %w", storage.ErrUnavailable, err)
	}
	return h.broken
}

// die keeps everybody away from bbolt.
func (h *health) die(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.isDead.Swap(true) {
		h.broken = fmt.Errorf("%w: the database cannot be used until berth is restarted: %w", storage.ErrUnavailable, err)
		close(h.dead)
	}
	return h.broken
}

// failure is why there are no writes, or nil.
func (h *health) failure() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.broken
}
