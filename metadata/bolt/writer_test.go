package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"testing"

	"github.com/berth-registry/berth/metadata"
)

// hold keeps the writer busy until the function it returns is called.
func hold(t *testing.T, s *Store) (release func()) {
	t.Helper()
	running, gate := make(chan struct{}), make(chan struct{})
	var once sync.Once
	j := newJob(func(*change) error {
		once.Do(func() { close(running) })
		<-gate
		return nil
	})
	ok(t, s.writer.enqueue(j))
	<-running
	return func() { close(gate); <-j.done }
}

func newJob(fn func(*change) error) *job { return &job{fn: fn, done: make(chan error, 1)} }

// queue enqueues write functions behind each other.
func queue(t *testing.T, s *Store, fns ...func(*change) error) []*job {
	t.Helper()
	var jobs []*job
	for _, fn := range fns {
		j := newJob(fn)
		ok(t, s.writer.enqueue(j))
		jobs = append(jobs, j)
	}
	return jobs
}

func putRow(name string) func(*change) error {
	return func(c *change) error { return c.put(tableRepositories, []byte(name), present()) }
}

func exists(t *testing.T, s *Store, name string) bool {
	t.Helper()
	found, err := s.Exists(ctx, name)
	ok(t, err)
	return found
}

func TestCommitsAreShared(t *testing.T) {
	s := openNew(t)
	before := s.Stats().Commits
	release := hold(t, s)
	var fns []func(*change) error
	for i := range 200 {
		fns = append(fns, putRow(fmt.Sprint("r", i)))
	}
	jobs := queue(t, s, fns...)
	release()
	for _, j := range jobs {
		ok(t, <-j.done)
	}
	st := s.Stats()
	if n := st.Commits - before; n != 1 {
		t.Errorf("200 writes took %d commits, want 1", n)
	}
	if st.Writes != 200 {
		t.Errorf("%d writes were counted", st.Writes)
	}
	for range 3 {
		ok(t, s.LinkBlob(ctx, "a", testBlob("x"), ""))
	}
	if n := s.Stats().Commits - st.Commits; n != 1 {
		t.Errorf("linking the same blob three times took %d commits, want 1", n)
	}
}

func TestConcurrentWritersShareCommits(t *testing.T) {
	s := openNew(t)
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := range 20 {
				if err := s.LinkBlob(ctx, "a", testBlob(fmt.Sprint(w, i)), ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	st := s.Stats()
	if st.Writes != 64*20 || st.Commits > st.Writes/4 {
		t.Errorf("%d writes took %d commits", st.Writes, st.Commits)
	}
}

func TestBatchIsBounded(t *testing.T) {
	s := openNew(t)
	release := hold(t, s)
	var fns []func(*change) error
	for i := range 2*maxBatch + 1 {
		fns = append(fns, putRow(fmt.Sprint("r", i)))
	}
	jobs := queue(t, s, fns...)
	for range 3 { // each fills a batch with its bytes
		j := newJob(putRow("big"))
		j.size = maxBatchBytes
		ok(t, s.writer.enqueue(j))
		jobs = append(jobs, j)
	}
	release()
	for _, j := range jobs {
		ok(t, <-j.done)
	}
	if n := s.Stats().Commits; n != 2+3 { // 256, 256, and the last small one with the first big one
		t.Errorf("took %d commits, want 5", n)
	}
}

// A function that fails, in whatever way, takes nobody with it.
func TestFailuresAreAlone(t *testing.T) {
	s := openNew(t)
	refusal := errors.New("no")
	runs := map[string]int{}
	count := func(name string, fn func(*change) error) func(*change) error {
		return func(c *change) error {
			runs[name]++
			if has(c.tx, tableRepositories, []byte(name)) {
				t.Errorf("%s sees its own earlier run", name)
			}
			return fn(c)
		}
	}
	release := hold(t, s)
	jobs := queue(t, s,
		count("first", putRow("first")),
		count("refused", func(*change) error { return refusal }),
		count("half", func(c *change) error { return errors.Join(putRow("half")(c), refusal) }),
		count("second", putRow("second")),
		count("panics", func(c *change) error { _ = putRow("panics")(c); panic("boom") }),
		count("panics early", func(*change) error { panic("boom") }),
		count("third", putRow("third")),
	)
	release()
	for i, want := range []bool{true, false, false, true, false, false, true} {
		if err := <-jobs[i].done; (err == nil) != want {
			t.Errorf("job %d: %v", i, err)
		}
	}
	for name, want := range map[string]bool{"first": true, "half": false, "second": true, "panics": false, "third": true} {
		if exists(t, s, name) != want {
			t.Errorf("%s is there: %v", name, !want)
		}
	}
	if n := s.Stats().Commits; n != 1 {
		t.Errorf("took %d commits, want 1", n)
	}
	if runs["refused"] == 0 || runs["half"] != 2 || runs["panics"] != 2 {
		t.Errorf("runs: %v", runs)
	}
	ok(t, s.Check(ctx))
}

// An error that rests on what another function wrote stands only with it.
func TestErrorRestsOnCommittedState(t *testing.T) {
	s := openNew(t)
	release := hold(t, s)
	seen := func(c *change) error {
		if has(c.tx, tableRepositories, []byte("half")) {
			return metadata.ErrExists
		}
		return nil
	}
	jobs := queue(t, s, func(c *change) error {
		_ = putRow("half")(c)
		panic("boom")
	}, seen)
	release()
	if err := <-jobs[0].done; err == nil {
		t.Error("a panic is no error")
	}
	if err := <-jobs[1].done; err != nil {
		t.Errorf("saw what was rolled back: %v", err)
	}
}

func TestContextEndsWhileWaiting(t *testing.T) {
	s := openNew(t)
	release := hold(t, s)
	waiting, cancel := context.WithCancel(ctx)
	result := make(chan error)
	go func() {
		result <- s.writer.do(waiting, 0, func(c *change) error {
			t.Error("ran after its caller had gone")
			return nil
		})
	}()
	for s.queued() == 0 { // spins until the goroutine has queued its function
	}
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	release()
	ok(t, s.LinkBlob(ctx, "a", testBlob("x"), ""))
}

func (s *Store) queued() int {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	return len(s.writer.queue)
}

func TestContextEndsWhileRunning(t *testing.T) {
	s := openNew(t)
	running, cancel := context.WithCancel(ctx)
	err := s.writer.do(running, 0, func(c *change) error {
		cancel()
		return putRow("there")(c)
	})
	ok(t, err) // the real result: it was written
	if !exists(t, s, "there") {
		t.Error("is not there")
	}
}

func TestCloseFinishesWhatWaits(t *testing.T) {
	s := openNew(t)
	release := hold(t, s)
	jobs := queue(t, s, putRow("there"))
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	release()
	ok(t, <-closed)
	ok(t, <-jobs[0].done)
	if err := s.LinkBlob(ctx, "a", testBlob("x"), ""); !errors.Is(err, os.ErrClosed) {
		t.Errorf("error is %v", err)
	}
	s = open(t, s.at.path)
	if !exists(t, s, "there") {
		t.Error("is not there")
	}
}

func TestUserNames(t *testing.T) {
	s := openNew(t)
	if err := s.AddUser(ctx, metadata.User{}); err == nil {
		t.Error("took a user without a name")
	}
	ok(t, s.AddUser(ctx, metadata.User{Name: "alice"}))
	if err := s.UpdateUser(ctx, "alice", func(u *metadata.User) error { u.Name = "bob"; return nil }); err == nil {
		t.Error("renamed a user")
	}
	if _, err := s.User(ctx, "bob"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
}
