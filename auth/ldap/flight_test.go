package ldap

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/proof"
	"github.com/berth-registry/berth/oci"
)

// board counts the exchanges that are under way.
type board struct {
	flights
	running, most, begun atomic.Int32
	release              chan struct{}
	proof                proof.Maker
}

func newBoard() *board {
	return &board{flights: newFlights(), release: make(chan struct{}), proof: proof.NewMaker()}
}

func (b *board) ask(ctx context.Context, name, password string) error {
	b.mu.Lock()
	f, err := b.join(question{name, password, b.proof.Of(name, password)}, func(ctx context.Context) (auth.Person, error) {
		b.begun.Add(1)
		n := b.running.Add(1)
		defer b.running.Add(-1)
		b.most.Store(max(b.most.Load(), n)) // under no lock: all begin one after the other
		select {
		case <-b.release:
			return auth.Person{Name: name}, nil
		case <-ctx.Done():
			return auth.Person{}, fmt.Errorf("%w: %w", oci.ErrUnavailable, ctx.Err())
		}
	})
	b.mu.Unlock()
	if err != nil {
		return err
	}
	_, err = f.wait(ctx)
	return err
}

func TestEqualQuestionsAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		var ended atomic.Int32
		for range 100 {
			go func() {
				if err := b.ask(t.Context(), "alice", "p"); err != nil {
					t.Error(err)
				}
				ended.Add(1)
			}()
		}
		synctest.Wait()
		close(b.release)
		synctest.Wait()
		if b.begun.Load() != 1 || ended.Load() != 100 {
			t.Errorf("%d exchanges for %d logins", b.begun.Load(), ended.Load())
		}
	})
}

// Of one name four passwords are asked at a time, of all 64, on 8 connections.
func TestFlightsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		var refused atomic.Int32
		ask := func(name string, n int) {
			for i := range n {
				go func() {
					if err := b.ask(t.Context(), name, fmt.Sprint(i)); errors.Is(err, auth.ErrTooManyLogins) {
						refused.Add(1)
					}
				}()
			}
			synctest.Wait()
		}
		ask("alice", 10)
		if refused.Load() != 6 {
			t.Errorf("%d of 10 passwords of one name are refused", refused.Load())
		}
		refused.Store(0)
		for i := range 20 {
			ask(fmt.Sprint("user", i), 4)
		}
		if refused.Load() != 20 { // 4 + 80 - 64
			t.Errorf("%d refused", refused.Load())
		}
		close(b.release)
		synctest.Wait()
		if b.most.Load() != maxConnections || b.begun.Load() != maxFlights || len(b.all) != 0 {
			t.Errorf("%d at a time, %d in all, %d left", b.most.Load(), b.begun.Load(), len(b.all))
		}
	})
}

// A directory that hangs holds up nobody for longer than ten seconds, and a
// client that goes away holds up nobody at all.
func TestTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		begin := time.Now()
		var failed atomic.Int32
		for i := range 20 {
			go func() {
				if err := b.ask(t.Context(), fmt.Sprint(i), ""); errors.Is(err, oci.ErrUnavailable) {
					failed.Add(1)
				}
			}()
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			if err := b.ask(ctx, "0", ""); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			failed.Add(1)
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if failed.Load() != 1 {
			t.Errorf("%d ended", failed.Load())
		}
		time.Sleep(timeout) // of the bubble's clock
		synctest.Wait()
		if failed.Load() != 21 || time.Since(begin) != timeout || len(b.all) != 0 {
			t.Errorf("%d ended after %v, %d left", failed.Load(), time.Since(begin), len(b.all))
		}
	})
}
