package lastuse

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var start = time.Unix(1_700_000_000, 0)

// book is where uses are written.
type book struct {
	mu    sync.Mutex
	lines []string
	fails error
}

func (b *book) write(_ context.Context, id string, at time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, fmt.Sprintf("%s %v", id, at.Sub(start)))
	return b.fails
}

func (b *book) expect(t *testing.T, n int) {
	t.Helper()
	synctest.Wait()
	if len(b.lines) != n {
		t.Errorf("%d writes, want %d: %v", len(b.lines), n, b.lines)
	}
}

// TestNoteSeldom: a thousand logins in an hour are one write for each
// credential, whatever its row says meanwhile.
func TestNoteSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(book)
		r := New(b.write)
		for i := range 1000 {
			now := start.Add(time.Duration(i) * 3600 * time.Millisecond) // an hour, nearly
			r.Note("a", time.Time{}, now)
			r.Note("b", start.Add(-time.Minute), now.Add(-time.Minute)) // used a moment ago
			synctest.Wait()
		}
		b.expect(t, 1)
		r.Note("a", start, start.Add(Every))
		b.expect(t, 2)
		r.Note("b", start, start.Add(Every))
		b.expect(t, 3)
		r.Close()
	})
}

// TestNoteAtOnce: many at the same moment are one.
func TestNoteAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(book)
		r := New(b.write)
		for range 100 {
			go r.Note("a", time.Time{}, start)
		}
		b.expect(t, 1)
	})
}

// TestNoteNeverWaits: while writes hang a login goes on, and so many wait and
// no more. What was not recorded is recorded the next time.
func TestNoteNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		b := new(book)
		r := New(func(ctx context.Context, id string, at time.Time) error {
			<-hang
			return b.write(ctx, id, at)
		})
		for i := range 100 {
			r.Note(fmt.Sprint(i), time.Time{}, start)
		}
		b.expect(t, 0)
		close(hang)
		b.expect(t, parallel)
		r.Note("99", time.Time{}, start)
		b.expect(t, parallel+1)
	})
}

// TestNoteAgainAfterAnError, and never longer than its patience.
func TestNoteAgainAfterAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{fails: errors.New("down")}
		r := New(b.write)
		r.Note("a", time.Time{}, start)
		b.expect(t, 1)
		r.Note("a", time.Time{}, start)
		b.expect(t, 2)

		begun := time.Now()
		r = New(func(ctx context.Context, _ string, _ time.Time) error { <-ctx.Done(); return ctx.Err() })
		r.Note("a", time.Time{}, start)
		r.Close() // waits for it
		if took := time.Since(begun); took != patience {
			t.Errorf("a write took %v", took)
		}
	})
}
