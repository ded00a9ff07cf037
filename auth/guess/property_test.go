package guess_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/guess"
)

// perHour is what the documentation says of guesses at one account from one
// client: no strategy gets more.
const perHour = 22

// TestHeld: to wait until all is forgotten is no way to guess faster than to
// wait for each delay, whenever one does it.
func TestHeld(t *testing.T) {
	for n := 1; n <= 40; n++ {
		round := guess.Held(n) // of n guesses, and then silence
		for i := 1; i < n; i++ {
			round += guess.Delay(i)
		}
		if perGuess := round / time.Duration(n); perGuess < guess.Delay(n) {
			t.Errorf("%d guesses and silence: one each %v", n, perGuess)
		}
	}
}

// TestGuessesPerHour: random strategies of one client against one account, with
// all that it can do in between, never get more guesses into an hour.
func TestGuessesPerHour(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		d := newDoor(t)
		patience := time.Duration(random.Int64N(int64(30 * time.Minute)))
		var looked []time.Time
		for i := 0; d.now.Before(start.Add(12 * time.Hour)); i++ {
			got, wait := d.login(home, "alice", fmt.Sprint("guess-", i))
			if got == wrong {
				looked = append(looked, d.now)
			}
			switch random.IntN(8) {
			case 0: // try others
				for j := range random.IntN(20) {
					d.login(home, fmt.Sprint("user-", random.IntN(1000)), fmt.Sprint(j))
				}
			case 1: // repeat
				d.login(home, "alice", fmt.Sprint("guess-", random.IntN(i+1)))
			case 2: // log in to an account of one's own
				d.login(home, "mallory", "mallory-password")
			case 3:
				d.now = d.now.Add(time.Duration(random.Int64N(int64(patience) + 1)))
			case 4:
				d.now = d.now.Add(2 * time.Hour)
			default: // as soon as it may
				d.now = d.now.Add(wait)
			}
		}
		if n := mostWithin(looked, time.Hour); n > perHour {
			t.Fatalf("seed %d: %d guesses within an hour", seed, n)
		}
	}
}

// mostWithin returns how many of the times lie within one span at most.
func mostWithin(times []time.Time, span time.Duration) (most int) {
	first := 0
	for i, t := range times {
		for t.Sub(times[first]) >= span {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// TestNobodyElseWaits: whatever others do, and however little is remembered, a
// client that sends no wrong secret is never delayed.
func TestNobodyElseWaits(t *testing.T) {
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 2))
		d := newDoor(t)
		if seed%2 == 0 {
			d.guard = guess.NewOfSize(d.verifier, 1+random.IntN(20), 1+random.IntN(20))
		}
		for i := range 2000 {
			name := fmt.Sprint("user-", random.IntN(20))
			switch random.IntN(3) {
			case 0:
				d.want(right, "2001:db8:ffff::1", name, name+"-password")
			case 1:
				d.login(fmt.Sprintf("2001:db8::%x:0:0:0:1", random.IntN(4)), name, fmt.Sprint("guess-", i))
			case 2:
				d.login(fmt.Sprintf("10.0.0.%d", random.IntN(4)), name, fmt.Sprint("guess-", random.IntN(100)))
			}
			d.now = d.now.Add(time.Duration(random.Int64N(int64(20 * time.Second))))
		}
	}
}

// FuzzGuard drives two clients against two accounts: the one that never sends
// a wrong secret never waits, the other gets no more than it should.
func FuzzGuard(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{1, 10, 1, 10, 1, 10, 1, 255, 1, 255, 2, 3, 0, 200})
	f.Add([]byte("0a1b2c3d4e5f6g7h8i9j"))
	f.Fuzz(func(t *testing.T, script []byte) {
		d := newDoor(t)
		var looked []time.Time
		for i, b := range script {
			switch b % 4 {
			case 0:
				d.want(right, other, "alice", "alice-password")
			case 1:
				if got, _ := d.login(home, "alice", fmt.Sprint("new-", i)); got == wrong {
					looked = append(looked, d.now)
				}
			case 2:
				d.login(home, "bob", fmt.Sprint("guess-", b/4))
			case 3:
				d.now = d.now.Add(time.Duration(b) * time.Duration(b) * 50 * time.Millisecond)
			}
		}
		if n := mostWithin(looked, time.Hour); n > perHour {
			t.Errorf("%d guesses within an hour", n)
		}
	})
}

func BenchmarkLogin(b *testing.B) {
	v := new(verifier)
	g := guess.New(v)
	now := start
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		now = now.Add(time.Millisecond)
		_, _ = g.Login(b.Context(), credentials(i), now)
	}
}

// credentials are wrong ones of ever new accounts and clients: the dearest case.
func credentials(i int) auth.Credentials {
	return auth.Credentials{
		Name:   fmt.Sprint("user-", i),
		Secret: "Autumn2026!",
		Client: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}),
	}
}
