package account_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"golang.org/x/crypto/bcrypt"
)

// bench holds every comparison until the test releases it, and notes which
// ones have started.
type bench struct {
	t       *testing.T
	a       *account.Accounts
	m       *memory
	release chan struct{}
	mu      sync.Mutex
	hashes  []string
	errs    []error
}

// held runs f in a bubble, with as many comparisons at a time. The password of
// root is remembered. What f leaves over is released.
func held(t *testing.T, parallel int, f func(*bench)) {
	synctest.Test(t, func(t *testing.T) {
		a, m := setup(t, account.Options{Parallel: parallel})
		login(t, a, "root", "root-password", nil)
		b := &bench{t: t, a: a, m: m, release: make(chan struct{})}
		a.Watch(func(hash string) {
			b.mu.Lock()
			b.hashes = append(b.hashes, hash)
			b.mu.Unlock()
			<-b.release
		})
		defer close(b.release)
		f(b)
	})
}

// ask logs in without waiting for it, and puts the error into errs.
func (b *bench) ask(ctx context.Context, name, password string) {
	go func() {
		_, err := b.a.Login(ctx, auth.Credentials{Name: name, Secret: password}, start)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.errs = append(b.errs, err)
	}()
}

// settle waits until nothing moves. It returns the number of comparisons that
// have started, and empties errs.
func (b *bench) settle() (started int, errs []error) {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	errs, b.errs = b.errs, nil
	return len(b.hashes), errs
}

// refused counts the errors, which must all be ErrTooManyLogins.
func (b *bench) refused(errs []error) int {
	b.t.Helper()
	for _, err := range errs {
		if !errors.Is(err, auth.ErrTooManyLogins) {
			b.t.Errorf("%v, want %v", err, auth.ErrTooManyLogins)
		}
	}
	return len(errs)
}

// 300 who guess at names that nobody has, and guess again whenever there is a
// place, hold up the first login of a user by what runs and four more.
func TestGuessersHoldUpNobody(t *testing.T) {
	const guessers, parallel = 300, 2
	names := []string{"nobody-%d", "no/name/%d", "Upper-%d"}
	held(t, parallel, func(b *bench) {
		guess := func(round int) {
			for i := range guessers {
				b.ask(b.t.Context(), fmt.Sprintf(names[i%len(names)], i), fmt.Sprint("guess-", round))
			}
		}
		guess(0)
		started, errs := b.settle()
		if n := b.refused(errs); started != parallel || n != guessers-parallel-4 {
			b.t.Fatalf("%d run and %d are refused", started, n)
		}

		alice := b.m.users["alice"].Bcrypt
		b.ask(b.t.Context(), "alice", "alice-password")
		b.settle()
		for round := 1; !slices.Contains(b.hashes, alice); round++ {
			guess(round)
			b.settle()
			login(b.t, b.a, "root", "root-password", nil) // what is remembered never waits
			b.release <- struct{}{}
			b.settle()
			if round > 10 {
				b.t.Fatal("alice does not come to her turn")
			}
		}
		if before := slices.Index(b.hashes, alice); before > parallel+4 {
			b.t.Errorf("%d comparisons were before hers", before)
		}
	})
}

// Guesses at one user take the places of that user only.
func TestGuessesAtOneUser(t *testing.T) {
	held(t, 1, func(b *bench) {
		for i := range 50 {
			b.ask(b.t.Context(), "alice", fmt.Sprint("guess-", i))
		}
		_, errs := b.settle()
		if n := b.refused(errs); n != 50-1-4 {
			b.t.Errorf("%d are refused", n)
		}
		b.ask(b.t.Context(), "ci", "ci-password")
		b.ask(b.t.Context(), "nobody", "guess")
		if _, errs := b.settle(); len(errs) != 0 {
			b.t.Errorf("others are refused: %v", errs)
		}
	})
}

// All accounts together have 64 places.
func TestPlacesOfAll(t *testing.T) {
	held(t, 1, func(b *bench) {
		const users = 30
		hash := hashed(t, "password", bcrypt.MinCost)
		b.m.change(func() {
			for i := range users {
				u := b.m.users["alice"]
				u.Name, u.Bcrypt = fmt.Sprint("user-", i), hash
				b.m.users[u.Name] = u
			}
		})
		for i := range 3 * users {
			b.ask(b.t.Context(), fmt.Sprint("user-", i%users), fmt.Sprint("guess-", i/users))
		}
		started, errs := b.settle()
		if n := b.refused(errs); started != 1 || n != 3*users-1-64 {
			b.t.Errorf("%d run and %d are refused", started, n)
		}
		login(b.t, b.a, "root", "root-password", nil)
	})
}

// Equal logins share one bcrypt and one place, right or wrong, known or not.
func TestEqualLoginsAreOne(t *testing.T) {
	for _, tc := range []struct {
		name, password string
		want           error
	}{
		{"alice", "alice-password", nil},
		{"alice", "guess", auth.ErrBadCredentials},
		{"nobody", "guess", auth.ErrBadCredentials},
		{"no/name", "guess", auth.ErrBadCredentials},
	} {
		held(t, 1, func(b *bench) {
			b.ask(b.t.Context(), "ci", "guess") // runs, so that the others wait
			b.settle()
			for range 300 {
				b.ask(b.t.Context(), tc.name, tc.password)
			}
			b.settle()
			b.release <- struct{}{}
			if started, errs := b.settle(); started != 2 || len(errs) != 1 {
				b.t.Errorf("%s: %d started, %v", tc.name, started, errs)
			}
			for range 10 {
				b.ask(b.t.Context(), tc.name, tc.password) // while it runs
			}
			b.settle()
			b.release <- struct{}{}
			started, errs := b.settle()
			if started != 2 || len(errs) != 310 {
				b.t.Errorf("%s: %d started, %d answers", tc.name, started, len(errs))
			}
			for _, err := range errs {
				if !errors.Is(err, tc.want) {
					b.t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
				}
			}
		})
	}
}

// Whoever asked first may go: those who want the same get their answer.
func TestTheFirstOfEqualLoginsGoes(t *testing.T) {
	for _, runs := range []bool{false, true} {
		held(t, 1, func(b *bench) {
			if !runs {
				b.ask(b.t.Context(), "ci", "guess")
				b.settle()
			}
			ctx, cancel := context.WithCancel(b.t.Context())
			b.ask(ctx, "alice", "alice-password")
			b.settle()
			b.ask(b.t.Context(), "alice", "alice-password")
			b.settle()
			cancel()
			if _, errs := b.settle(); len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
				b.t.Errorf("the first: %v", errs)
			}
			if !runs {
				b.release <- struct{}{}
				b.settle()
			}
			b.release <- struct{}{}
			if _, errs := b.settle(); len(errs) != 1 || errs[0] != nil {
				b.t.Errorf("the second: %v", errs)
			}
		})
	}
}

// Whoever goes leaves the place to others, and what nobody wants is not run.
func TestWhoGoesLeavesThePlace(t *testing.T) {
	held(t, 1, func(b *bench) {
		ctx, cancel := context.WithCancel(b.t.Context())
		b.ask(b.t.Context(), "nobody", "guess")
		b.settle()
		for i := range 4 {
			b.ask(ctx, "nobody", fmt.Sprint("guess-", i))
		}
		b.settle()
		b.ask(b.t.Context(), "nobody", "another")
		if _, errs := b.settle(); b.refused(errs) != 1 {
			b.t.Error("a fifth waits")
		}
		cancel()
		if _, errs := b.settle(); len(errs) != 4 {
			b.t.Errorf("%v", errs)
		}
		for i := range 4 {
			b.ask(b.t.Context(), "nobody", fmt.Sprint("later-", i))
		}
		if _, errs := b.settle(); len(errs) != 0 {
			b.t.Errorf("the places are not free: %v", errs)
		}
		for range 5 {
			b.release <- struct{}{}
		}
		if started, errs := b.settle(); started != 5 || len(errs) != 5 {
			b.t.Errorf("%d started, %d answers", started, len(errs))
		}
	})
}
