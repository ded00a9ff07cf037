package ratelimit

import (
	"fmt"
	"math/bits"
	"strconv"
	"time"
)

// Bounds of a Limit.
const (
	MaxPulls  = 1_000_000_000
	MinWindow = time.Minute
	MaxWindow = 31 * 24 * time.Hour
)

// Limit is how many pulls are allowed in a rolling window. The zero Limit is
// no limit at all.
type Limit struct {
	Pulls  int64         // 1 to MaxPulls; 0 = unlimited
	Window time.Duration // whole seconds, MinWindow to MaxWindow; of no meaning if unlimited
}

// Unlimited reports whether l bounds nothing.
func (l Limit) Unlimited() bool { return l.Pulls == 0 }

// Check returns what is wrong with the bounds of l.
func (l Limit) Check() error {
	switch {
	case l.Pulls < 0 || l.Pulls > MaxPulls:
		return fmt.Errorf("a limit is 1 to %d pulls, or unlimited", MaxPulls)
	case l.Unlimited():
		return nil
	case l.Window < MinWindow || l.Window > MaxWindow || l.Window%time.Second != 0:
		return fmt.Errorf("a window is whole seconds, from %s to %s", Text(MinWindow), Text(MaxWindow))
	}
	return nil
}

// MoreGenerous reports whether l allows more than m: unlimited more than
// anything, then the larger rate of pulls per time, and of equal rates the one
// with more pulls at a time.
func (l Limit) MoreGenerous(m Limit) bool {
	if l.Unlimited() || m.Unlimited() {
		return l.Unlimited() && !m.Unlimited()
	}
	lh, ll := bits.Mul64(uint64(l.Pulls), uint64(m.Window))
	mh, ml := bits.Mul64(uint64(m.Pulls), uint64(l.Window))
	if lh != mh || ll != ml {
		return lh > mh || lh == mh && ll > ml
	}
	return l.Pulls > m.Pulls
}

// Times returns the limit with n times the pulls in the same window.
func (l Limit) Times(n int64) Limit { return Limit{l.Pulls * n, l.Window} }

// String returns "200 per 6h", or "unlimited".
func (l Limit) String() string {
	if l.Unlimited() {
		return "unlimited"
	}
	return strconv.FormatInt(l.Pulls, 10) + " per " + Text(l.Window)
}

// Text writes a time as people do: 6h rather than 6h0m0s, 30d rather than
// 720h0m0s. What is below a second is rounded up.
func Text(d time.Duration) string {
	seconds := int64((d + time.Second - 1) / time.Second)
	if seconds <= 0 {
		return "0s"
	}
	var b []byte
	for _, unit := range [...]struct {
		name   byte
		length int64
	}{{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}} {
		if n := seconds / unit.length; n > 0 {
			b = append(strconv.AppendInt(b, n, 10), unit.name)
			seconds %= unit.length
		}
	}
	return string(b)
}
