package guess_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/guess"
)

var start = time.Unix(1_700_000_000, 0)

var errStore = errors.New("the store is down")

// verifier knows everybody's password, which is the name with "-password"
// appended, unless the name begins with "no", and counts what it is asked.
type verifier struct {
	mu    sync.Mutex
	asked int
	fails error
}

func (v *verifier) Login(_ context.Context, c auth.Credentials, _ time.Time) (auth.Principal, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	switch {
	case v.fails != nil:
		return auth.Principal{}, v.fails
	case c.Secret == c.Name+"-password" && c.Name[:2] != "no":
		return auth.Principal{Kind: auth.User, Name: c.Name}, nil
	}
	return auth.Principal{}, auth.ErrBadCredentials
}

// door is a guard in front of a verifier, at a time that is moved by hand.
type door struct {
	*testing.T
	*verifier
	guard   *guess.Guard
	now     time.Time
	guesses int
}

func newDoor(t *testing.T) *door {
	v := new(verifier)
	return &door{T: t, verifier: v, guard: guess.New(v), now: start}
}

// What a login comes to.
const (
	right   = "right"
	wrong   = "wrong"
	delayed = "delayed"
	failed  = "failed"
)

// login returns the outcome and, if delayed, for how long.
func (d *door) login(from, name, secret string) (string, time.Duration) {
	d.Helper()
	c := auth.Credentials{Name: name, Secret: secret}
	if from != "" {
		c.Client = netip.MustParseAddr(from)
	}
	before := d.asked
	p, err := d.guard.Login(d.Context(), c, d.now)
	tooSoon := (*auth.DelayError)(nil)
	switch {
	case err == nil && p.Name == name:
		return right, 0
	case errors.Is(err, auth.ErrBadCredentials):
		return wrong, 0
	case errors.As(err, &tooSoon) && errors.Is(err, auth.ErrTooManyLogins) && d.asked == before && tooSoon.Wait > 0:
		return delayed, tooSoon.Wait
	case errors.Is(err, d.fails):
		return failed, 0
	}
	d.Fatalf("%s from %s: %v, %v", name, from, p, err)
	return "", 0
}

func (d *door) want(outcome, from, name, secret string) {
	d.Helper()
	if got, wait := d.login(from, name, secret); got != outcome {
		d.Errorf("%s from %s with %q after %v: %s (%v), want %s", name, from, secret, d.now.Sub(start), got, wait, outcome)
	}
}

// guess tries n new secrets as fast as it may, and returns how long it took.
func (d *door) guess(from, name string, n int) time.Duration {
	d.Helper()
	begin := d.now
	for end := d.guesses + n; d.guesses < end; {
		switch got, wait := d.login(from, name, fmt.Sprint("guess-", d.guesses)); got {
		case wrong:
			d.guesses++
		case delayed:
			d.now = d.now.Add(wait)
		default:
			d.Fatal(got)
		}
	}
	return d.now.Sub(begin)
}

const (
	home  = "192.0.2.1"
	other = "198.51.100.7"
)

// TestDelay is the schedule, written by hand: the time of each guess.
func TestDelay(t *testing.T) {
	d := newDoor(t)
	for i, at := range []time.Duration{0, 0, 0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1111, 1411} {
		d.guess(home, "alice", 1)
		if got := d.now.Sub(start); got != at*time.Second {
			t.Errorf("guess %d after %v, want %v", i+1, got, at*time.Second)
		}
	}
	d.want(delayed, home, "alice", "alice-password") // the right one would be an answer too
	d.want(right, other, "alice", "alice-password")  // nobody is locked out
	d.want(right, home, "bob", "bob-password")
	d.now = d.now.Add(5*time.Minute - 1)
	d.want(delayed, home, "alice", "alice-password")
	d.now = d.now.Add(1)
	d.want(right, home, "alice", "alice-password")
	for range 3 {
		d.guess(home, "alice", 1) // free again
	}
	d.want(delayed, home, "alice", "one more")
}

// TestWaitIsExact: it is over when the error says, and not before.
func TestWaitIsExact(t *testing.T) {
	d := newDoor(t)
	d.guess(home, "alice", 8)
	_, wait := d.login(home, "alice", "x")
	d.now = d.now.Add(wait - 1)
	d.want(delayed, home, "alice", "x")
	d.now = d.now.Add(1)
	d.want(wrong, home, "alice", "x")
}

// TestUnknownAccounts are treated as those that exist.
func TestUnknownAccounts(t *testing.T) {
	known, unknown := newDoor(t), newDoor(t)
	for i := range 40 {
		secret := fmt.Sprint("guess-", i/2)
		a, waitA := known.login(home, "alice", secret)
		b, waitB := unknown.login(home, "nobody", secret)
		if a != b || waitA != waitB {
			t.Fatalf("guess %d: %s %v, of an account that is not there %s %v", i, a, waitA, b, waitB)
		}
		known.now, unknown.now = known.now.Add(5*time.Second), unknown.now.Add(5*time.Second)
	}
}

// TestRepeated: kubelet sends one wrong secret for ever and hears each time
// that it is wrong. Everybody else there logs in as if it were not.
func TestRepeated(t *testing.T) {
	d := newDoor(t)
	for i := range 10_000 {
		d.want(wrong, home, "alice", "stale")
		d.want(wrong, home, "alice", "stale") // POST, then GET
		if i%100 == 0 {
			d.want(right, home, "bob", "bob-password")
			d.want(right, home, "alice", "alice-password")
		}
		d.now = d.now.Add(5 * time.Minute)
	}
	if accounts, networks := d.guard.Remembered(d.now); accounts != 1 || networks > 1 {
		t.Errorf("%d accounts and %d networks are remembered", accounts, networks)
	}
}

// TestRepeatedDuringADelay: who repeats is told the truth, and waits neither
// longer nor shorter for it.
func TestRepeatedDuringADelay(t *testing.T) {
	d := newDoor(t)
	for i := range guess.MaxSecrets {
		for got := ""; got != wrong; d.now = d.now.Add(time.Second) {
			got, _ = d.login(home, "alice", fmt.Sprint("stale-", i))
		}
	}
	_, before := d.login(home, "alice", "new")
	for range 100 {
		for i := range guess.MaxSecrets {
			d.want(wrong, home, "alice", fmt.Sprint("stale-", i))
		}
	}
	if got, wait := d.login(home, "alice", "new"); got != delayed || wait != before {
		t.Errorf("%s %v, before %v", got, wait, before)
	}
}

// TestRepeatedBecomesRight: the answer to a repeated secret is the verifier's.
func TestRepeatedBecomesRight(t *testing.T) {
	d := newDoor(t)
	d.fails = auth.ErrBadCredentials
	d.want(wrong, home, "alice", "alice-password")
	d.guess(home, "alice", 6)
	d.fails = nil
	d.want(delayed, home, "alice", "another")
	d.want(right, home, "alice", "alice-password")
	d.want(wrong, home, "alice", "another")
}

// TestNotFoundOut: a secret that nobody has judged may be tried again at once.
func TestNotFoundOut(t *testing.T) {
	for _, err := range []error{errStore, auth.ErrTooManyLogins, context.Canceled} {
		d := newDoor(t)
		d.fails = err
		for range 20 {
			if p, got := d.guard.Login(t.Context(), auth.Credentials{Name: "alice", Secret: "alice-password"}, d.now); !errors.Is(got, err) {
				t.Errorf("%v: %v, %v", err, p, got)
			}
		}
		d.fails = nil
		d.want(right, "", "alice", "alice-password")
	}
}

// TestCancelledGuesses: a guess whose answer nobody waited for is a guess, for
// the account and, once the answer is known, for the network.
func TestCancelledGuesses(t *testing.T) {
	d := newDoor(t)
	tried := 0
	for i := range 200 {
		name, secret := fmt.Sprint("user-", i), fmt.Sprint("guess-", i)
		d.fails = context.Canceled
		d.login(home, name, secret)
		d.fails = nil
		if got, _ := d.login(home, name, secret); got == wrong {
			tried++
		}
		d.want(wrong, other, "alice", "the same") // has nothing to do with it
	}
	if tried != 100 {
		t.Errorf("%d guesses", tried)
	}
	d = newDoor(t)
	d.fails = context.Canceled
	for i := range 100 { // whoever hangs up pays, too
		d.want(failed, home, fmt.Sprint("user-", i), "guess")
	}
	d.want(delayed, home, "user-100", "guess")
	d = newDoor(t)
	d.fails = context.Canceled
	for i := range 3 {
		d.want(failed, home, "alice", fmt.Sprint("guess-", i))
	}
	d.want(delayed, home, "alice", "guess-3")
}

// TestManyAtATime: of 64 guesses that come together three are looked at.
func TestManyAtATime(t *testing.T) {
	v := new(verifier)
	g := guess.New(v)
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			_, _ = g.Login(t.Context(), auth.Credentials{Name: "alice", Secret: fmt.Sprint("guess-", i)}, start)
		})
	}
	all.Wait()
	if v.asked != 3 {
		t.Errorf("%d guesses were looked at", v.asked)
	}
}

// TestManyOfOneSecret: runners that start together are no attack.
func TestManyOfOneSecret(t *testing.T) {
	v := new(verifier)
	g := guess.New(v)
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if _, err := g.Login(t.Context(), auth.Credentials{Name: "ci", Secret: "ci-password"}, start); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// TestClients: who is one client and who is another.
func TestClients(t *testing.T) {
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{home, home, true},
		{home, "192.0.2.2", false},
		{home, "::ffff:192.0.2.1", true},
		{"2001:db8::1", "2001:db8::ffff:0:0:1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"fe80::1%eth0", "fe80::2", true},
		{"", "", true},
		{"", home, false},
	} {
		d := newDoor(t)
		d.guess(test.a, "alice", 4)
		got, _ := d.login(test.b, "alice", "x")
		if (got == delayed) != test.same {
			t.Errorf("after guesses from %q, %q is %s", test.a, test.b, got)
		}
	}
}

// TestNames: spellings of one name are one account.
func TestNames(t *testing.T) {
	d := newDoor(t)
	d.guess(home, "alice", 4)
	d.want(delayed, home, "Alice", "x")
	d.want(wrong, home, "alic", "x")
	d.want(wrong, home, "alice ", "x")
}

// TestSpraying: one network tries one password with every account, and then
// waits; who logs in from elsewhere does not.
func TestSpraying(t *testing.T) {
	d := newDoor(t)
	spray := func(n int) (tried int) {
		for i := range n {
			if got, _ := d.login(home, fmt.Sprint("user-", d.now.UnixNano(), "-", i), "Autumn2026!"); got == wrong {
				tried++
			}
		}
		return tried
	}
	if got := spray(1000); got != 100 {
		t.Errorf("%d at once", got)
	}
	_, wait := d.login(home, "carol", "x")
	if wait != 36*time.Second {
		t.Errorf("wait %v", wait)
	}
	d.want(delayed, home, "carol", "carol-password")
	d.want(right, other, "carol", "carol-password")
	d.now = d.now.Add(time.Hour)
	if got := spray(1000); got != 100 {
		t.Errorf("%d in the hour after", got)
	}
	d.now = d.now.Add(36 * time.Second)
	d.want(right, home, "carol", "carol-password") // costs nothing
	if got := spray(1000); got != 1 {
		t.Errorf("%d in the next 36 s: a right login has paid for nothing", got)
	}
}

// TestSprayingASite: a /48 has 65536 clients, and pays for them together.
func TestSprayingASite(t *testing.T) {
	d := newDoor(t)
	tried := 0
	for i := range 3000 {
		if got, _ := d.login(fmt.Sprintf("2001:db8:0:%x::1", i), "alice", fmt.Sprint("guess-", i)); got == wrong {
			tried++
		}
	}
	if tried != 1000 {
		t.Errorf("%d guesses at once", tried)
	}
	d.want(right, "2001:db8:1::1", "alice", "alice-password")
}

// TestForgotten: after a while nothing is remembered of anybody.
func TestForgotten(t *testing.T) {
	d := newDoor(t)
	for i := range 50 {
		d.guess(fmt.Sprintf("198.51.100.%d", i), "alice", 12)
	}
	d.now = d.now.Add(2 * time.Hour)
	if accounts, networks := d.guard.Remembered(d.now); accounts+networks != 0 {
		t.Errorf("%d accounts and %d networks are remembered", accounts, networks)
	}
}

// TestWashing: who fills the memory from many clients does not wash away what
// is known of a guesser, unless with as many that guessed as much.
func TestWashing(t *testing.T) {
	d := newDoor(t)
	const accounts, networks = 64, 64
	d.guard = guess.NewOfSize(d.verifier, accounts, networks)
	d.guess(home, "alice", 12)
	for i := range 50 {
		d.want(wrong, other, fmt.Sprint("user-", i), "x")
	}
	for i := range 100 * accounts {
		from := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String()
		d.want(wrong, from, fmt.Sprint("user-", i), "x")
		d.want(wrong, from, fmt.Sprint("user-", i), "y")
	}
	d.want(delayed, home, "alice", "x")
	left := 0
	for i := range 200 {
		if got, _ := d.login(other, fmt.Sprint("user-", i), "z"); got == wrong {
			left++
		}
	}
	if left != 50 {
		t.Errorf("%d wrong secrets are taken from a network that had sent 50 of 100", left)
	}
	if a, n := d.guard.Remembered(d.now); a > accounts || n > networks {
		t.Errorf("%d accounts and %d networks are remembered", a, n)
	}
}

// TestOneClientFillsNothing: what one client pays keeps it from filling the
// memory, in hours of trying.
func TestOneClientFillsNothing(t *testing.T) {
	d := newDoor(t)
	for i := range 6 * 60 * 60 {
		d.login(home, fmt.Sprint("user-", i), "x")
		d.now = d.now.Add(time.Second)
	}
	if accounts, _ := d.guard.Remembered(d.now); accounts > 200 {
		t.Errorf("%d accounts are remembered of %d", accounts, guess.MaxAccounts)
	}
}
