package account

import (
	"context"
	"slices"
	"sync"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/proof"
)

// How many comparisons may wait. Equal ones are one, however many logins want
// it: they cost no core, and a hundred runners that start at once with one
// password are no attack.
const (
	maxWaiting     = 64
	maxWaitingEach = 4 // of one account
)

// queue runs a few comparisons at a time, in the order in which they came. It
// is short, so that it is searched and not indexed, and no account has more
// than a few places in it: who waits, waits for few others.
type queue struct {
	mu   sync.Mutex
	free int                         // comparisons that may start at once
	all  map[proof.Proof]*comparison // that run or wait
	line []*comparison               // that wait, the next one first
}

// comparison is one bcrypt that several logins may wait for.
type comparison struct {
	key     proof.Proof
	account string
	run     func() bool
	wanted  int           // logins that wait for it; under queue.mu
	done    chan struct{} // closed when right is set
	right   bool
}

// join returns the comparison of a key: the one that is there already, or a
// new one, which starts or takes a place in the line.
// auth.ErrTooManyLogins if there is none. The caller holds mu.
func (q *queue) join(key proof.Proof, account string, run func() bool) (*comparison, error) {
	if c, ok := q.all[key]; ok {
		c.wanted++
		return c, nil
	}
	if q.free == 0 && q.full(account) {
		return nil, auth.ErrTooManyLogins
	}
	c := &comparison{key: key, account: account, run: run, wanted: 1, done: make(chan struct{})}
	q.all[key] = c
	if q.free == 0 {
		q.line = append(q.line, c)
		return c, nil
	}
	q.free--
	go q.work(c)
	return c, nil
}

// full reports whether the line has no place for the account.
func (q *queue) full(account string) bool {
	n := 0
	for _, c := range q.line {
		if c.account == account {
			n++
		}
	}
	return n >= maxWaitingEach || len(q.line) >= maxWaiting
}

// work runs a comparison, and then those that wait. It belongs to no login:
// who asked first may be gone while others want the same.
func (q *queue) work(c *comparison) {
	for c != nil {
		c.right = c.run()
		c = q.next(c)
	}
}

// next ends a comparison and returns the one to run in its place; nil if
// nobody waits.
func (q *queue) next(ended *comparison) *comparison {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.all, ended.key)
	close(ended.done)
	if len(q.line) == 0 {
		q.free++
		return nil
	}
	c := q.line[0]
	q.line = slices.Delete(q.line, 0, 1)
	return c
}

// wait returns the result of a comparison, or the error of ctx.
func (q *queue) wait(ctx context.Context, c *comparison) (bool, error) {
	select {
	case <-c.done:
		return c.right, nil
	case <-ctx.Done():
		q.leave(c)
		return false, ctx.Err()
	}
}

// leave takes what nobody wants any more out of the line. What runs goes on:
// bcrypt cannot be stopped.
func (q *queue) leave(c *comparison) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if c.wanted--; c.wanted > 0 {
		return
	}
	if i := slices.Index(q.line, c); i >= 0 {
		q.line = slices.Delete(q.line, i, i+1)
		delete(q.all, c.key)
	}
}
