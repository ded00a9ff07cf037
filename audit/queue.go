package audit

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

const (
	maxQueue    = 4096        // lines that wait to be written
	patience    = time.Second // of who has recorded one
	lastMoments = 5 * time.Second
	complainFor = time.Minute // between two lines in the log about one kind of trouble
)

// sink takes whole lines.
type sink interface {
	append(line []byte) error
}

// queue hands lines to the one goroutine that writes them, in the order in
// which they came, so that a disk that hangs holds up that one for ever, and
// everybody else for a moment.
type queue struct {
	sink  sink
	log   *slog.Logger
	lines chan line
	stop  chan struct{} // closed by close
	done  chan struct{} // closed when the goroutine has ended

	written, failed, late, dropped atomic.Uint64
	lastFailed, lastLost           atomic.Int64 // when the log was told, unix nanoseconds
}

type line struct {
	text    []byte
	at      time.Time
	written chan struct{} // closed when it is, or cannot be
}

func newQueue(s sink, log *slog.Logger) *queue {
	q := &queue{
		sink: s, log: log,
		lines: make(chan line, maxQueue), stop: make(chan struct{}), done: make(chan struct{}),
	}
	go q.run()
	return q
}

// write returns when the line is written, or after a second.
func (q *queue) write(text []byte, at time.Time) {
	l := line{text, at, make(chan struct{})}
	select {
	case <-q.stop:
		q.lose(at)
		return
	default:
	}
	select {
	case q.lines <- l:
	default:
		q.lose(at)
		return
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-l.written:
	case <-timer.C:
		q.late.Add(1)
	}
}

func (q *queue) run() {
	defer close(q.done)
	for {
		select {
		case l := <-q.lines:
			q.put(l)
		case <-q.stop:
			for len(q.lines) > 0 {
				q.put(<-q.lines)
			}
			return
		}
	}
}

func (q *queue) put(l line) {
	defer close(l.written)
	if err := q.sink.append(l.text); err != nil {
		q.fail(l.at, err)
		return
	}
	q.written.Add(1)
}

// fail takes note of a line that could not be written.
func (q *queue) fail(at time.Time, err error) {
	n := q.failed.Add(1)
	if due(&q.lastFailed, at) {
		q.log.Error("audit lines cannot be written", "failed", n, "error", err)
	}
}

// lose takes note of a line that is dropped.
func (q *queue) lose(at time.Time) {
	n := q.dropped.Add(1)
	if due(&q.lastLost, at) {
		q.log.Error("audit lines are dropped: the disk does not take them", "dropped", n)
	}
}

// due reports whether it is time to say it again.
func due(last *atomic.Int64, now time.Time) bool {
	was := last.Load()
	return now.UnixNano()-was >= int64(complainFor) && last.CompareAndSwap(was, now.UnixNano())
}

func (q *queue) count(s *Stats) {
	s.Written, s.Failed, s.Late, s.Dropped = q.written.Load(), q.failed.Load(), q.late.Load(), q.dropped.Load()
}

var errHangs = errors.New("the last lines are not written: the disk does not take them")

// close waits until all is written, but not for ever.
func (q *queue) close() error {
	close(q.stop)
	timer := time.NewTimer(lastMoments)
	defer timer.Stop()
	select {
	case <-q.done:
		return nil
	case <-timer.C:
		return errHangs
	}
}
