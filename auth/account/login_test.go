package account_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/metadata"
	"golang.org/x/crypto/bcrypt"
)

func TestLogin(t *testing.T) {
	a, _ := setup(t, account.Options{})
	for range 2 { // compared, remembered
		for _, tc := range []struct {
			name, password string
			want           auth.Principal
		}{
			{"alice", "alice-password", auth.Principal{Kind: auth.User, Name: "alice", Groups: []string{"dev"}}},
			{"root", "root-password", auth.Principal{Kind: auth.User, Name: "root", Admin: true}},
			{"ci", "ci-password", auth.Principal{Kind: auth.User, Name: "ci", Groups: []string{"builders"}}},
		} {
			if got := login(t, a, tc.name, tc.password, nil); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%+v, want %+v", got, tc.want)
			}
		}
		for _, tc := range [][2]string{
			{"alice", "Alice-password"}, {"alice", ""}, {"alice", "alice-password "}, {"alice", "root-password"},
			{"alice", "alice-password\x00alice-password"}, {"alice", strings.Repeat("x", 5000)},
			{"nobody", "alice-password"}, {"", ""}, {"Alice", "alice-password"}, {"alice ", "alice-password"},
			{"a/b", "x"}, {"anonymous", ""}, {"robot$x", "x"}, {strings.Repeat("a", 70), "x"},
		} {
			login(t, a, tc[0], tc[1], auth.ErrBadCredentials)
		}
	}
}

// bcrypt reads 72 bytes. What is longer is wrong, whatever its start.
func TestLongPasswordFails(t *testing.T) {
	a, _ := setup(t, account.Options{})
	long := strings.Repeat("p", account.MaxPassword)
	if err := a.SetPassword(t.Context(), "alice", long, start); err != nil {
		t.Fatal(err)
	}
	login(t, a, "alice", long, nil)
	login(t, a, "alice", long+"p", auth.ErrBadCredentials)
	login(t, a, "alice", long[1:], auth.ErrBadCredentials)
}

// Whatever changes in the row counts at the next login, within the minute.
func TestChangesCountAtOnce(t *testing.T) {
	a, m := setup(t, account.Options{})
	login(t, a, "alice", "alice-password", nil)
	if err := a.SetPassword(t.Context(), "alice", "another-password", start); err != nil {
		t.Fatal(err)
	}
	login(t, a, "alice", "alice-password", auth.ErrBadCredentials)
	login(t, a, "alice", "another-password", nil)
	m.change(func() {
		u := m.users["alice"]
		u.Groups, u.Admin = []string{"ops"}, true
		m.users["alice"] = u
	})
	if p := login(t, a, "alice", "another-password", nil); !p.Admin || p.Groups[0] != "ops" || len(p.Groups) != 1 {
		t.Errorf("%+v", p)
	}
	if err := a.Remove(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	login(t, a, "alice", "another-password", auth.ErrBadCredentials)
	if err := a.Add(t.Context(), "alice", "third-password", false, nil, start); err != nil {
		t.Fatal(err)
	}
	login(t, a, "alice", "another-password", auth.ErrBadCredentials)
	login(t, a, "alice", "third-password", nil)
}

// A user who is added later was not there before: a remembered failure does
// not stay.
func TestAddedAfterAFailure(t *testing.T) {
	a, _ := setup(t, account.Options{})
	login(t, a, "bob", "bob-password", auth.ErrBadCredentials)
	if err := a.Add(t.Context(), "bob", "bob-password", false, nil, start); err != nil {
		t.Fatal(err)
	}
	login(t, a, "bob", "bob-password", nil)
}

func TestStaticUsersAreReplaced(t *testing.T) {
	a, m := setup(t, account.Options{})
	m.change(func() {
		m.users["ci"] = metadata.User{Name: "ci", Bcrypt: hashed(t, "stored-password", 4), Admin: true}
	})
	login(t, a, "ci", "stored-password", auth.ErrBadCredentials)
	if p := login(t, a, "ci", "ci-password", nil); p.Admin {
		t.Error("a stored row made a static user an administrator")
	}
	if err := a.SetStatic([]metadata.User{{Name: "new", Bcrypt: hashed(t, "new-password", 4)}}); err != nil {
		t.Fatal(err)
	}
	login(t, a, "new", "new-password", nil)
	login(t, a, "ci", "ci-password", auth.ErrBadCredentials)
	if err := a.SetStatic([]metadata.User{{Name: "bad", Bcrypt: "plain"}}); !errors.Is(err, account.ErrInvalid) {
		t.Error(err)
	}
	login(t, a, "new", "new-password", nil) // the old list stays
}

func TestStaticUsersAreChecked(t *testing.T) {
	good := hashed(t, "password", 4)
	for name, users := range map[string][]metadata.User{
		"name":     {{Name: "A", Bcrypt: good}},
		"reserved": {{Name: "library", Bcrypt: good}},
		"hash":     {{Name: "a", Bcrypt: "$1$abc"}},
		"group":    {{Name: "a", Bcrypt: good, Groups: []string{""}}},
		"twice":    {{Name: "a", Bcrypt: good}, {Name: "a", Bcrypt: good}},
	} {
		if _, err := account.New(account.Options{Static: users, Cost: 4}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// $2y$ is what htpasswd writes.
func TestHtpasswdHash(t *testing.T) {
	a, m := setup(t, account.Options{})
	m.change(func() {
		m.users["old"] = metadata.User{Name: "old", Bcrypt: strings.Replace(hashed(t, "old-password", 5), "$2a$", "$2y$", 1)}
	})
	login(t, a, "old", "old-password", nil)
	login(t, a, "old", "new-password", auth.ErrBadCredentials)
}

func TestStoreDown(t *testing.T) {
	a, m := setup(t, account.Options{})
	login(t, a, "alice", "alice-password", nil)
	m.change(func() { m.fails = errStore })
	login(t, a, "alice", "alice-password", errStore)
	login(t, a, "ci", "ci-password", nil)
}

// A repeated login, right or wrong, costs no second bcrypt for a minute. The
// row is read each time.
func TestRemembered(t *testing.T) {
	a, m := setup(t, account.Options{})
	runs := 0
	a.Watch(func(string) { runs++ })
	for password, want := range map[string]error{"alice-password": nil, "wrong-password": auth.ErrBadCredentials} {
		runs = 0
		for _, tc := range []struct {
			after time.Duration
			runs  int
		}{{0, 1}, {0, 1}, {time.Minute - 1, 1}, {time.Minute, 2}, {2*time.Minute - 1, 2}} {
			reads := m.reads.Load()
			if _, err := a.Login(t.Context(), auth.Credentials{Name: "alice", Secret: password}, start.Add(tc.after)); !errors.Is(err, want) {
				t.Errorf("%s: %v", password, err)
			}
			if runs != tc.runs || m.reads.Load() != reads+1 {
				t.Errorf("%s after %v: %d runs of bcrypt, want %d; %d reads", password, tc.after, runs, tc.runs, m.reads.Load()-reads)
			}
		}
	}
}

// Who guesses cannot push out those who log in.
func TestGuessesPushNobodyOut(t *testing.T) {
	a, _ := setup(t, account.Options{})
	login(t, a, "alice", "alice-password", nil)
	a.Guess(30_000, start)
	runs := 0
	a.Watch(func(string) { runs++ })
	if login(t, a, "alice", "alice-password", nil); runs != 0 {
		t.Error("the right login was forgotten")
	}
}

// An unknown or impossible user costs a bcrypt of the configured cost, like a
// wrong password.
func TestUnknownUserTakesAsLong(t *testing.T) {
	m := &memory{users: map[string]metadata.User{}}
	a, err := account.New(account.Options{Users: m, Cost: 6})
	if err != nil {
		t.Fatal(err)
	}
	m.users["alice"] = metadata.User{Name: "alice", Bcrypt: hashed(t, "alice-password", 6)}
	var costs []int
	a.Watch(func(hash string) {
		cost, _ := bcrypt.Cost([]byte(hash))
		costs = append(costs, cost)
	})
	for _, name := range []string{"alice", "nobody", "no/name", ""} {
		login(t, a, name, "wrong-password", auth.ErrBadCredentials)
		login(t, a, name, strings.Repeat("x", 100), auth.ErrBadCredentials)
	}
	if want := []int{6, 6, 6, 6, 6, 6, 6, 6}; !slices.Equal(costs, want) {
		t.Errorf("%v", costs)
	}
}

// A hash of a lower cost than that of new ones costs as much work as an unknown
// name, unless the password is right.
func TestCheaperHashTakesAsLong(t *testing.T) {
	const cost = 8
	cheap := hashed(t, "ci-password", 5)
	m := &memory{users: map[string]metadata.User{"broken": {Name: "broken", Bcrypt: "$2a$"}}}
	a, err := account.New(account.Options{
		Users: m, Cost: cost, Static: []metadata.User{{Name: "ci", Bcrypt: cheap}},
	})
	if err != nil {
		t.Fatal(err)
	}
	work := 0
	a.Watch(func(hash string) {
		if c, err := bcrypt.Cost([]byte(hash)); err == nil {
			work += 1 << c
		}
	})
	for _, tc := range []struct {
		name, password string
		work           int
		want           error
	}{
		{"nobody", "wrong", 1 << cost, auth.ErrBadCredentials},
		{"ci", "wrong", 1 << cost, auth.ErrBadCredentials},
		{"ci", strings.Repeat("x", 100), 1 << cost, auth.ErrBadCredentials},
		{"broken", "wrong", 1<<cost - 1<<bcrypt.MinCost, auth.ErrBadCredentials},
		{"ci", "ci-password", 1 << 5, nil},
	} {
		work = 0
		if login(t, a, tc.name, tc.password, tc.want); work != tc.work {
			t.Errorf("%s %s: work of %d, want %d", tc.name, tc.password, work, tc.work)
		}
	}
}

// The dummies of all costs are hashes that bcrypt really compares with.
func TestDummies(t *testing.T) {
	a, _ := setup(t, account.Options{})
	for cost := bcrypt.MinCost; cost < 9; cost++ {
		hash := []byte(a.Dummy(cost))
		if c, err := bcrypt.Cost(hash); c != cost || err != nil {
			t.Errorf("%d: %d %v", cost, c, err)
		}
		if err := bcrypt.CompareHashAndPassword(hash, []byte("x")); !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
			t.Errorf("%d: %v", cost, err)
		}
	}
}

// No more bcrypts run than there may be. Equal logins that come together are
// one, and of different ones at one user four wait.
func TestParallel(t *testing.T) {
	for different, want := range map[int]int{1: 1, 3: 3, 10: 6} {
		synctest.Test(t, func(t *testing.T) {
			a, _ := setup(t, account.Options{Parallel: 2})
			var running, most, runs int
			var mu sync.Mutex
			count := func(n int) {
				mu.Lock()
				defer mu.Unlock()
				running += n
				runs += max(n, 0)
				most = max(most, running)
			}
			release := make(chan struct{})
			a.Watch(func(string) {
				count(1)
				<-release
				count(-1)
			})
			for i := range 10 {
				go func() {
					_, _ = a.Login(t.Context(), auth.Credentials{Name: "alice", Secret: fmt.Sprint("guess-", i%different)}, start)
				}()
			}
			for range 10 {
				synctest.Wait()
				select {
				case release <- struct{}{}:
				default:
				}
			}
			synctest.Wait()
			if most != min(different, 2) || running != 0 || runs != want {
				t.Errorf("%d different: %d at once, %d runs, want %d", different, most, runs, want)
			}
		})
	}
}

// Who waits in the queue gives up with the request.
func TestWaitingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := setup(t, account.Options{Parallel: 1})
		login(t, a, "root", "root-password", nil)
		release := make(chan struct{})
		a.Watch(func(string) { <-release })
		go func() { _, _ = a.Login(t.Context(), auth.Credentials{Name: "alice", Secret: "guess"}, start) }()
		synctest.Wait()

		ctx, cancel := context.WithCancel(t.Context())
		var err error
		go func() { _, err = a.Login(ctx, auth.Credentials{Name: "alice", Secret: "alice-password"}, start) }()
		synctest.Wait()
		login(t, a, "root", "root-password", nil) // what is remembered does not wait
		cancel()
		synctest.Wait()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		close(release)
	})
}

func BenchmarkLoginRemembered(b *testing.B) {
	a, _ := setup(b, account.Options{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Login(b.Context(), auth.Credentials{Name: "alice", Secret: "alice-password"}, start); err != nil {
			b.Fatal(err)
		}
	}
}
