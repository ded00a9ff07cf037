package pulls

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/ratelimit"
)

// Set is a limit that an administrator has set for a key. It stands above the
// configuration, be it more or less generous.
type Set struct {
	Key     ratelimit.Key
	Limit   ratelimit.Limit
	By      string    // who set it
	At      time.Time // when
	Expires time.Time // zero: never
}

var (
	// ErrInvalid wraps what is wrong with a limit that was to be set.
	ErrInvalid = errors.New("not a limit that can be set")
	// ErrNotSet means that no limit is set for the key.
	ErrNotSet = errors.New("no limit is set for this key")
)

func (s Set) inForce(now time.Time) bool { return s.Expires.IsZero() || now.Before(s.Expires) }

// Set sets a limit, at once here, and with the next Refresh everywhere else.
// ErrInvalid if it is none.
func (l *Limiter) Set(ctx context.Context, s Set) error {
	if err := s.Limit.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if !s.inForce(s.At) {
		return fmt.Errorf("%w: it would have expired already", ErrInvalid)
	}
	err := l.store.PutPullLimit(ctx, metadata.PullLimit{
		Key: s.Key.String(), Pulls: s.Limit.Pulls, Window: s.Limit.Window, By: s.By, Set: s.At, Expires: s.Expires,
	})
	if err != nil {
		return err
	}
	return l.Refresh(ctx, s.At)
}

// Unset removes what was set for a key. ErrNotSet if nothing was.
func (l *Limiter) Unset(ctx context.Context, key ratelimit.Key, now time.Time) error {
	err := l.store.RemovePullLimit(ctx, key.String())
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotSet
	}
	if err != nil {
		return err
	}
	return l.Refresh(ctx, now)
}

// Sets returns what is set and has not expired, in order of the keys' texts.
func (l *Limiter) Sets(now time.Time) []Set {
	var list []Set
	for _, s := range *l.set.Load() {
		if s.inForce(now) {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b Set) int { return cmp.Compare(a.Key.String(), b.Key.String()) })
	return list
}

// Refresh reads what is set, and removes what has expired. After an error what
// was known stays in force.
func (l *Limiter) Refresh(ctx context.Context, now time.Time) error {
	l.refresh.Lock() // what was read first must not be stored last
	defer l.refresh.Unlock()
	set, expired := map[ratelimit.Key]Set{}, false
	for row, err := range l.store.PullLimits(ctx, "") {
		if err != nil {
			return err
		}
		key, err := ratelimit.ParseKey(row.Key)
		if err != nil {
			return fmt.Errorf("the stored limit of %q: %w", row.Key, err)
		}
		s := Set{Key: key, Limit: ratelimit.Limit{Pulls: row.Pulls, Window: row.Window}, By: row.By, At: row.Set, Expires: row.Expires}
		if err := s.Limit.Check(); err != nil {
			return fmt.Errorf("the stored limit of %q: %w", row.Key, err)
		}
		if s.inForce(now) {
			set[key] = s
		}
		expired = expired || !s.inForce(now)
	}
	l.set.Store(&set)
	if expired {
		return l.store.ExpirePullLimits(ctx, now)
	}
	return nil
}
