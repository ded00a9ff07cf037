package bolt

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/berth-registry/berth/storage"
)

// A batch is bounded, so that a commit stays short and its dirty pages fit
// into memory: manifests may have some MiB each.
const (
	maxBatch      = 256
	maxBatchBytes = 16 << 20
)

// writer runs the write functions of all callers, one after the other, as
// many as are waiting in one transaction of bbolt. It never waits for more to
// come: what queues up while a commit syncs is the next batch, so a lone
// writer pays one commit and sixty-four share a few.
type writer struct {
	db     *bbolt.DB
	at     opened
	health *health

	mu     sync.Mutex
	ready  sync.Cond // of mu: the queue is not empty, or closed
	queue  []*job
	closed bool

	stopped chan struct{}

	commits, writes atomic.Int64
}

// job is one write function on its way. fn may run several times, each time
// on a transaction that has nothing of its earlier runs.
type job struct {
	fn    func(*change) error
	size  int // bytes that it will store, about
	state atomic.Int32
	err   error
	done  chan error
}

// The states of a job.
const (
	waiting int32 = iota
	taken
	dropped
)

// change is the database as a write function sees it.
type change struct {
	tx    *bbolt.Tx
	wrote bool
}

func (c *change) put(table string, key, value []byte) error {
	c.wrote = true
	b := c.tx.Bucket([]byte(table))
	switch table {
	case tableBytes, tableEdges, tableNames:
		b.FillPercent = 0.9 // numbers only grow: a page once left gets little more
	}
	return b.Put(key, value)
}

// nextNumber returns a number that no object has or had.
func (c *change) nextNumber() (uint64, error) {
	c.wrote = true
	return c.tx.Bucket([]byte(tableObjects)).NextSequence()
}

func (c *change) delete(table string, key []byte) error {
	c.wrote = true
	return c.tx.Bucket([]byte(table)).Delete(key)
}

func newWriter(db *bbolt.DB, at opened, h *health) *writer {
	w := &writer{db: db, at: at, health: h, stopped: make(chan struct{})}
	w.ready.L = &w.mu
	go w.run()
	return w
}

// do runs fn and returns when its effect is durable, or that it failed. If ctx
// ends while fn is still waiting for its turn, fn never runs; later it is the
// real result that counts.
func (w *writer) do(ctx context.Context, size int, fn func(*change) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{fn: fn, size: size, done: make(chan error, 1)}
	if err := w.enqueue(j); err != nil {
		return err
	}
	select {
	case err := <-j.done:
		return err
	case <-w.health.dead:
		return w.health.failure()
	case <-ctx.Done():
	}
	if j.state.CompareAndSwap(waiting, dropped) {
		return ctx.Err()
	}
	select {
	case err := <-j.done:
		return err
	case <-w.health.dead:
		return w.health.failure()
	}
}

func (w *writer) enqueue(j *job) error {
	if err := w.health.failure(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errClosed
	}
	w.queue = append(w.queue, j)
	w.ready.Signal()
	return nil
}

func (w *writer) run() {
	defer close(w.stopped)
	debug.SetPanicOnFault(true) // a page that cannot be read is an error, not the end of the process
	for batch := w.next(); batch != nil; batch = w.next() {
		w.commit(batch)
		runtime.Gosched() // who was just answered may write again: into the next batch, if it gets to run first
	}
}

// next waits for jobs and takes a batch; nil after close, once all is done.
func (w *writer) next() []*job {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for len(w.queue) == 0 {
			if w.closed {
				return nil
			}
			w.ready.Wait()
		}
		if batch := w.take(); len(batch) > 0 {
			return batch
		}
	}
}

func (w *writer) take() []*job {
	var batch []*job
	n, size := 0, 0
	for ; n < len(w.queue) && len(batch) < maxBatch; n++ {
		j := w.queue[n]
		if len(batch) > 0 && size+j.size > maxBatchBytes {
			break
		}
		if j.state.CompareAndSwap(waiting, taken) {
			batch = append(batch, j)
			size += j.size
		}
	}
	w.queue = append([]*job(nil), w.queue[n:]...)
	return batch
}

// commit brings every job of the batch to its end. A job that fails after it
// wrote something would leave half of itself in the transaction: then all is
// rolled back, the others run again from the start, and it runs once more at
// the end, alone, for a result that depends on nothing uncommitted.
func (w *writer) commit(batch []*job) {
	var alone []*job
	for len(batch) > 0 {
		bad := w.try(batch)
		if bad < 0 {
			break
		}
		alone = append(alone, batch[bad])
		batch = append(batch[:bad:bad], batch[bad+1:]...)
	}
	for _, j := range alone {
		w.try([]*job{j})
	}
}

// try runs the batch in one transaction and answers its jobs. If a job spoils
// the transaction for others, nobody is answered and its index is returned.
func (w *writer) try(batch []*job) (bad int) {
	tx, err := w.begin()
	if err != nil {
		answer(batch, err)
		return -1
	}
	c := &change{tx: tx}
	wrote := 0
	for i, j := range batch {
		c.wrote = false
		var panicked bool
		j.err, panicked = safely(j.fn, c)
		if j.err != nil && (c.wrote || panicked) {
			w.rollback(tx)
			if len(batch) > 1 {
				return i
			}
			answer(batch, nil)
			return -1
		}
		if c.wrote {
			wrote++
		}
	}
	if wrote == 0 { // what the functions saw is what the last commit made durable
		w.rollback(tx)
		answer(batch, nil)
		return -1
	}
	answer(batch, w.finish(tx, wrote))
	return -1
}

// answer gives every job the error of the transaction, or else its own.
func answer(batch []*job, err error) {
	for _, j := range batch {
		if err != nil {
			j.err = err
		}
		j.done <- j.err
	}
}

func safely(fn func(*change) error, c *change) (err error, panicked bool) {
	defer func() {
		if p := recover(); p != nil {
			err, panicked = panicError(p), true
		}
	}()
	return fn(c), false
}

func (w *writer) begin() (tx *bbolt.Tx, err error) {
	if err := w.health.failure(); err != nil {
		return nil, err
	}
	if err := w.at.still(); err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil {
			err = w.health.die(panicError(p))
		}
	}()
	return w.db.Begin(true)
}

func (w *writer) rollback(tx *bbolt.Tx) {
	defer func() {
		if p := recover(); p != nil {
			_ = w.health.die(panicError(p))
		}
	}()
	_ = tx.Rollback() // its only error says that there is nothing to roll back
}

// finish commits. A disk that is full or read-only heals: bbolt has rolled
// back. After any other failure, and if the commit that failed can be seen,
// memory and disk may disagree (a page whose fsync failed counts as clean): no
// more writes.
func (w *writer) finish(tx *bbolt.Tx, wrote int) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = w.health.breakDown(panicError(p))
			w.rollback(tx)
		}
	}()
	id := tx.ID()
	if err := tx.Commit(); err != nil {
		if marked, passing := diskError(err); passing && !w.visible(id) {
			return marked
		}
		return w.health.breakDown(err)
	}
	w.commits.Add(1)
	w.writes.Add(int64(wrote))
	return nil
}

func (w *writer) visible(id int) bool {
	tx, err := w.db.Begin(false)
	if err != nil {
		return true
	}
	defer func() { _ = tx.Rollback() }()
	return tx.ID() >= id
}

// diskError marks the errors that pass: more space, or a disk that can be
// written again, would cure them.
func diskError(err error) (marked error, passing bool) {
	switch {
	case errors.Is(err, bolterrors.ErrMaxSizeReached), causedBy(err, syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG):
		return fmt.Errorf("%w: %w", storage.ErrNoSpace, err), true
	case causedBy(err, syscall.EROFS):
		return fmt.Errorf("%w: %w", storage.ErrUnavailable, err), true
	}
	return err, false
}

// causedBy also looks at the text, because bbolt does not wrap the error of
// growing the file.
func causedBy(err error, causes ...syscall.Errno) bool {
	for _, cause := range causes {
		if errors.Is(err, cause) || strings.HasSuffix(err.Error(), cause.Error()) {
			return true
		}
	}
	return false
}

// close lets what is queued finish, if anything can, and refuses the rest.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.ready.Signal()
	w.mu.Unlock()
	select {
	case <-w.stopped:
	case <-w.health.dead:
	}
}
