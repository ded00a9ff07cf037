package ratelimit

import "time"

const (
	// slots is how many whole slots a window has; one more is running.
	slots = 72
	// maxCount is what one count can hold: a slot with more has several.
	maxCount = 1<<24 - 1
	// fullCounts is the capacity that nearly every window can do with.
	fullCounts = 80
)

// Decision is the answer to a pull, or to the question after one.
type Decision struct {
	Allowed   bool  // of a question: whether one more pull would be
	Limit     Limit // as it was asked for
	Used      int64 // pulls in the window, this one included if it was counted
	Remaining int64
	Reset     time.Duration // until there is more: until the next pull if none remains; 0 if none is used
	At        time.Time     // when it was counted, by the clock of the counters: for Window.GiveBack
	local     bool          // by the local counters of a Failover
}

// Window is what is remembered of a key: how many pulls there were in each slot
// of time in which there were any, 73 slots at most. Its size does not grow
// with the number of pulls, nor does the work of a decision. The zero Window
// has seen nothing.
//
// All times in it are microseconds since 1970, so that counters elsewhere can
// do the same with whole numbers below 2^53.
type Window struct {
	span   uint32  // seconds that are remembered: 72 slots; 0: nothing was ever counted
	next   uint32  // seconds: the longest window asked for since idle began to grow
	idle   uint8   // slots since a limit last needed the whole span
	last   int64   // number of the newest slot, which is the running one as far as is known
	counts []count // oldest first, none of zero
}

// count is a number of pulls in a slot. A slot may have several. The number of
// the slot, modulo 2^8, is above the lower 24 bits: the slots that are known are
// never that far apart.
type count uint32

func newCount(number, n int64) count { return count(number)<<24 | count(n) }

func (c count) slot() uint8 { return uint8(c >> 24) }

func (c count) pulls() int64 { return int64(c & maxCount) }

// SlotLength is the length of the slots of a window: the precision of its
// limit.
func SlotLength(window time.Duration) time.Duration {
	return time.Duration(slotOf(seconds(window))) * time.Microsecond
}

// slotOf is the length of 1/72 of a span, in microseconds.
func slotOf(span uint32) int64 { return (int64(span)*1e6 + slots - 1) / slots }

func (w *Window) slot() int64 { return slotOf(w.span) }

// seconds is the length of a window in whole seconds, rather more than less.
func seconds(window time.Duration) uint32 {
	return uint32((min(max(window, MinWindow), MaxWindow) + time.Second - 1) / time.Second)
}

// Take counts a pull of some cost if it fits below the limit, as a whole or not
// at all. With a cost of zero it only tells. limit must not be unlimited.
//
// The limit may be another one each time. A window longer than what is
// remembered makes the slots longer, and begins with what is known: what was
// forgotten stays forgotten. A shorter one looks at the newest slots only; they
// become shorter themselves when for the whole span nobody has asked for as
// much. Whenever slots change, each count goes to the latest moment at which
// its pulls can have been: they are forgotten late, by one of the longer slots
// at most, and never early.
//
// A clock that was set back stands still, for the window, until it has caught
// up; if it was set back by more than is remembered, all counts move with it.
func (w *Window) Take(limit Limit, cost int64, now time.Time) Decision {
	window := seconds(limit.Window)
	at := w.advance(window, max(now.UnixMicro(), 0))
	first := 0
	if window < w.span { // beyond the span everything is dropped
		first = w.reach(window, at)
	}
	used := w.sum(first)
	d := Decision{Limit: limit, Used: used, Allowed: used+max(cost, 1) <= limit.Pulls, At: time.UnixMicro(at)}
	if d.Allowed {
		w.put(w.last, cost)
		d.Used += cost
	}
	d.Remaining = max(limit.Pulls-d.Used, 0)
	d.Reset = w.reset(d, window, first, at)
	return d
}

// GiveBack takes a counted pull away again, from the slot in which it was
// counted: at is Decision.At. If that slot is gone, or has another length by
// now, nothing is given back.
func (w *Window) GiveBack(cost int64, at time.Time) {
	if w.span == 0 {
		return
	}
	number := at.UnixMicro() / w.slot()
	for i := len(w.counts) - 1; i >= 0 && cost > 0; i-- {
		if w.number(i) != number {
			continue
		}
		n := min(cost, w.counts[i].pulls())
		cost -= n
		if w.counts[i] -= count(n); w.counts[i].pulls() == 0 {
			w.counts = append(w.counts[:i], w.counts[i+1:]...)
		}
	}
}

// Empty reports whether nothing is counted.
func (w *Window) Empty() bool { return len(w.counts) == 0 }

// Expired reports whether everything is forgotten at a time, so that the zero
// Window would say the same. It follows a clock that was set back as Take does.
func (w *Window) Expired(now time.Time) bool {
	if len(w.counts) == 0 {
		return true
	}
	passed := now.UnixMicro()/w.slot() - w.last
	if passed < -slots {
		w.shift(passed)
		return false
	}
	return w.reach(w.span, now.UnixMicro()) == len(w.counts)
}

// advance brings w to the running slot, remembering as much as a window needs,
// and returns the time that counts.
func (w *Window) advance(window uint32, now int64) (at int64) {
	if len(w.counts) > 0 {
		now = w.follow(now)
	}
	switch {
	case len(w.counts) == 0: // as good as new
		*w = Window{span: window, last: now / slotOf(window), counts: w.counts}
	case window > w.span:
		w.regroup(window, now)
	case window == w.span:
		w.idle, w.next = 0, 0
	default:
		w.next = max(w.next, window)
		if w.idle > slots {
			w.regroup(w.next, now)
		}
	}
	return now
}

// follow goes with the clock and forgets what is out of reach.
func (w *Window) follow(now int64) (at int64) {
	switch passed := now/w.slot() - w.last; {
	case passed < -slots:
		w.shift(passed)
	case passed < 0:
		return w.last * w.slot()
	default:
		w.counts = w.counts[:copy(w.counts, w.counts[w.reach(w.span, now):])]
		w.last += passed
		w.idle = uint8(min(int64(w.idle)+passed, 255))
	}
	return now
}

// shift moves everything by a number of slots.
func (w *Window) shift(by int64) {
	w.last += by
	for i := range w.counts {
		w.counts[i] += count(by) << 24
	}
}

// regroup makes w remember another span, in slots of another length.
func (w *Window) regroup(span uint32, now int64) {
	old, slot := *w, slotOf(span)
	*w = Window{span: span, last: now / slot}
	first := w.oldest(span, now)
	for i, c := range old.counts {
		latest := min((old.number(i)+1)*old.slot()-1, now) / slot
		if latest >= first {
			w.put(latest, c.pulls())
		}
	}
}

// number is that of a count's slot.
func (w *Window) number(i int) int64 {
	return w.last - int64(uint8(w.last)-w.counts[i].slot())
}

// oldest is the number of the first slot that a window reaches at a time.
func (w *Window) oldest(window uint32, at int64) int64 {
	return (at - int64(window)*1e6) / w.slot()
}

// reach is the index of the first count that a window reaches at a time.
func (w *Window) reach(window uint32, at int64) (i int) {
	first := w.oldest(window, at)
	for i < len(w.counts) && w.number(i) < first {
		i++
	}
	return i
}

// sum is how many pulls there were from a count on.
func (w *Window) sum(first int) (n int64) {
	for _, c := range w.counts[first:] {
		n += c.pulls()
	}
	return n
}

// put adds n pulls to a slot that is not older than the newest count.
func (w *Window) put(number, n int64) {
	if i := len(w.counts) - 1; i >= 0 && w.number(i) == number {
		more := min(n, maxCount-w.counts[i].pulls())
		w.counts[i] += count(more)
		n -= more
	}
	for n > 0 {
		more := min(n, maxCount)
		if len(w.counts) == cap(w.counts) {
			w.grow()
		}
		w.counts = append(w.counts, newCount(number, more))
		n -= more
	}
}

// grow makes room in steps of which the last suffices for good: most keys have
// few pulls, and there are many keys.
func (w *Window) grow() {
	n := max(2*cap(w.counts), 2)
	if cap(w.counts) < fullCounts {
		n = min(n, fullCounts)
	}
	w.counts = append(make([]count, 0, n), w.counts...)
}

// reset is when enough of the oldest counts are forgotten for one pull more or,
// if there is room, when the first of them is.
func (w *Window) reset(d Decision, window uint32, first int, at int64) time.Duration {
	if d.Used == 0 {
		return 0
	}
	need := max(d.Used+1-d.Limit.Pulls, 1)
	for i := first; i < len(w.counts); i++ {
		if need -= w.counts[i].pulls(); need <= 0 {
			return time.Duration((w.number(i)+1)*w.slot()+int64(window)*1e6-at) * time.Microsecond
		}
	}
	return d.Limit.Window
}
