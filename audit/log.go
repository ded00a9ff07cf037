package audit

import (
	"io"
	"log/slog"
	"sync"
	"time"
)

// Options are what a Log is made of.
type Options struct {
	Path   string    // a file, "-" for Stdout, "" for none: then the entries are kept in memory only
	Stdout io.Writer // needed with "-"
	Log    *slog.Logger
}

// Log is the trail. It may be used concurrently.
type Log struct {
	memory memory
	out    *queue // nil: in memory only
	file   *file  // nil: not a file

	mu         sync.Mutex
	flow       flow // of refusals
	suppressed int  // since the last one that was kept
	total      Stats
}

// Stats counts lines since the start.
type Stats struct {
	Written    uint64 // to the file, in whole
	Failed     uint64 // that could not be written
	Late       uint64 // that were not written within a second: written later, or counted in another place too
	Dropped    uint64 // that found the queue full, or the trail closed
	Suppressed uint64 // refusals beyond their rate
}

// Open returns a Log. Its error is that of the file.
func Open(o Options) (*Log, error) {
	l := &Log{flow: flow{most: maxRefusals, interval: refusalEvery}}
	switch o.Path {
	case "":
	case "-":
		l.out = newQueue(plain{o.Stdout}, o.Log)
	default:
		f, err := openFile(o.Path)
		if err != nil {
			return nil, err
		}
		l.file, l.out = f, newQueue(f, o.Log)
	}
	return l, nil
}

// Record keeps an entry, whose time and texts are the caller's. What is promised
// of it stands in the comment of the package; it waits for a second at most, and
// never fails: a request does not become wrong because its trail is lost.
func (l *Log) Record(e Entry) {
	e = e.bounded()
	if e.class() == refusals && !l.admit(&e) {
		return
	}
	l.memory.add(e)
	if l.out == nil {
		return
	}
	text, err := e.line()
	if err != nil {
		l.out.fail(e.Time, err)
		return
	}
	l.out.write(text, e.Time)
}

// admit reports whether there is room for one more refusal now.
func (l *Log) admit(e *Entry) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.flow.take(e.Time) {
		l.suppressed++
		l.total.Suppressed++
		return false
	}
	e.Suppressed, l.suppressed = l.suppressed, 0
	return true
}

// Find returns the newest entries that match, the newest first: at most limit of
// those that are remembered. They do not outlive the process; the file does.
func (l *Log) Find(f Filter, limit int) []Entry {
	return l.memory.find(f.Match, min(max(limit, 0), MaxLimit))
}

// Reopen opens the file anew, after its name was given to another. On an error
// the old one stays.
func (l *Log) Reopen() error {
	if l.file == nil {
		return nil
	}
	return l.file.reopen()
}

// Stats returns the counts.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	s := l.total
	l.mu.Unlock()
	if l.out != nil {
		l.out.count(&s)
	}
	return s
}

// Close writes what waits, and closes the file. Entries that are recorded later
// are remembered only.
func (l *Log) Close() error {
	if l.out == nil {
		return nil
	}
	if err := l.out.close(); err != nil || l.file == nil {
		return err
	}
	return l.file.close()
}

// The rate of refusals: so many at once, and one more per interval. 50 per second
// are some 1 GiB per day.
const (
	maxRefusals  = 1000
	refusalEvery = 20 * time.Millisecond
)

// flow admits at most so many at once, and one more per interval.
type flow struct {
	most     int
	interval time.Duration
	back     time.Time // when all that was taken will have come back
}

func (f *flow) take(now time.Time) bool {
	if f.back.Before(now) {
		f.back = now
	}
	if f.back.Sub(now) > time.Duration(f.most-1)*f.interval {
		return false
	}
	f.back = f.back.Add(f.interval)
	return true
}
