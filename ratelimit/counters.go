package ratelimit

import (
	"context"
	"iter"
	"time"
)

// Counters keep a Window for each key. They are safe for concurrent use: of
// many who take the last pull at once, one gets it. An error means that the
// counters could not be reached, and that the pull may have been counted.
type Counters interface {
	// Take is Window.Take for the window of a key. Counters that others share
	// go by a clock of their own instead of now.
	Take(ctx context.Context, key Key, limit Limit, cost int64, now time.Time) (Decision, error)

	// GiveBack is Window.GiveBack: d is what Take answered.
	GiveBack(ctx context.Context, key Key, cost int64, d Decision) error

	// Reset forgets a key: it has all of its limit again.
	Reset(ctx context.Context, key Key) error

	// Counts visits the keys that have used something, in no order. What
	// changes meanwhile may be missed or seen.
	Counts(ctx context.Context, now time.Time) iter.Seq2[Count, error]
}

// Count is what a key has used, as of the limit that it was last held to.
type Count struct {
	Key Key
	Decision
}
