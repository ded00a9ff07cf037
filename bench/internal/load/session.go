package load

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Plan is a row, prepared on a server.
type Plan struct {
	Auth  []byte                       // Authorization header line of every request
	Op    func(w *Worker, i int) error // the operation; i is another one each time
	Check func(w *Worker, n int) error // nil, or: after operations 0 to n-1, is all as it must be?
}

// Session is a plan with its connections.
type Session struct {
	plan    *Plan
	workers []*Worker
	next    atomic.Int64
}

// Result is how a number of operations went.
type Result struct {
	Ops     int
	Wall    time.Duration
	Latency []time.Duration // of each operation, in no order
}

// Open connects.
func (c *Client) Open(p *Plan, connections int) (*Session, error) {
	s := &Session{plan: p}
	for range connections {
		w, err := newWorker(c, p.Auth)
		if err != nil {
			s.Close()
			return nil, err
		}
		s.workers = append(s.workers, w)
	}
	return s, nil
}

// Close closes the connections.
func (s *Session) Close() {
	for _, w := range s.workers {
		w.close()
	}
}

// patience is how much longer than its limit a run may take before a server counts as hanging; noLimit is the limit
// of those that have none.
const (
	patience = 2 * time.Minute
	noLimit  = time.Hour
)

// Run does n operations more, or as many as are begun within the limit (0: no limit).
func (s *Session) Run(n int, limit time.Duration) (Result, error) {
	first := int(s.next.Load())
	r := run{s: s, end: int64(first + n)}
	begin := time.Now()
	if limit > 0 {
		r.until = begin.Add(limit)
	}
	latencies := make([][]time.Duration, len(s.workers))
	var all sync.WaitGroup
	for k, w := range s.workers {
		if err := w.deadline(r.deadline(begin)); err != nil {
			return Result{}, err
		}
		all.Go(func() { latencies[k] = r.work(w, n/len(s.workers)+1) })
	}
	all.Wait()
	result := Result{Wall: time.Since(begin)}
	for _, l := range latencies {
		result.Latency = append(result.Latency, l...)
	}
	result.Ops = len(result.Latency)
	s.next.Store(int64(first + result.Ops))
	return result, r.err()
}

// Check looks whether all is as it must be after what was run.
func (s *Session) Check() error {
	if s.plan.Check == nil {
		return nil
	}
	w := s.workers[0]
	if err := w.deadline(time.Now().Add(patience)); err != nil {
		return err
	}
	return s.plan.Check(w, int(s.next.Load()))
}

// run is one call of Run.
type run struct {
	s      *Session
	end    int64
	until  time.Time // zero: no limit
	failed atomic.Bool
	mu     sync.Mutex
	errs   []error
}

func (r *run) deadline(begin time.Time) time.Time {
	if r.until.IsZero() {
		return begin.Add(noLimit)
	}
	return r.until.Add(patience)
}

// work is the loop of one connection. Numbers are taken one by one, so that those done have no gap.
func (r *run) work(w *Worker, about int) []time.Duration {
	took := make([]time.Duration, 0, about)
	before := time.Now()
	for !r.failed.Load() && (r.until.IsZero() || before.Before(r.until)) {
		i := r.s.next.Add(1) - 1
		if i >= r.end {
			break
		}
		if err := r.s.plan.Op(w, int(i)); err != nil {
			r.fail(err)
			break
		}
		now := time.Now()
		took = append(took, now.Sub(before))
		before = now
	}
	return took
}

func (r *run) fail(err error) {
	r.failed.Store(true)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, err)
}

// err is the first error: the others are mostly its consequences.
func (r *run) err() error {
	if len(r.errs) == 0 {
		return nil
	}
	return errors.Join(r.errs[:1]...)
}
