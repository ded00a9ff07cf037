package guess

import "time"

// The delay of one account from one client. With it twelve guesses take eight
// and a half minutes, and each one after them five: 22 in the first hour, 12 in
// every other.
const (
	free      = 3 // wrong secrets that cost nothing: people mistype
	shortest  = time.Second
	longest   = 5 * time.Minute
	heldLeast = 15 * time.Minute // longer than kubelet waits between two pulls, which is 5 minutes
	heldMost  = time.Hour
)

// delay is how long after the n-th wrong secret another one is not looked at.
func delay(n int) time.Duration {
	switch {
	case n < free:
		return 0
	case n-free > 8: // 2^8 s is the last below longest
		return longest
	}
	return shortest << (n - free)
}

// held is how long n wrong secrets are remembered after the last of them: so
// long that nobody tries more by waiting for it than by waiting for delay.
func held(n int) time.Duration {
	return min(max(time.Duration(n)*longest, heldLeast), heldMost)
}

// budget is what all accounts together take of wrong secrets from one network:
// most at once, and one more per interval.
type budget struct {
	most     int
	interval time.Duration
}

// wait is how long a network does not get another try. Its state is one time:
// when all that it spent will have come back.
func (b budget) wait(back, now time.Time) time.Duration {
	return max(0, back.Sub(now)-time.Duration(b.most-1)*b.interval)
}

// spend returns the state after one more wrong secret.
func (b budget) spend(back, now time.Time) time.Time {
	if back.Before(now) {
		back = now
	}
	return back.Add(b.interval)
}
