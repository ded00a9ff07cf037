package metadatatest

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
)

// Opener opens the store in one place. It is called again after Close, and
// then finds what was stored.
type Opener func() (metadata.Store, error)

// Fresh prepares an empty place for one test.
type Fresh func(tb testing.TB) Opener

// Run holds an implementation against the contract.
func Run(t *testing.T, fresh Fresh) {
	for _, group := range [][]test{blobTests, manifestTests, tagTests, listTests, sessionTests, userTests, robotTests, tokenTests, pullTests, limitTests, usageTests, concurrentTests, modelTests, closeTests} {
		for _, tt := range group {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				tt.run(newEnv(t, fresh))
			})
		}
	}
}

type test struct {
	name string
	run  func(e *env)
}

// now is the time of everything whose time does not matter. Its nanoseconds
// stay within what databases keep.
var now = time.Date(2026, 11, 23, 7, 30, 0, 123456000, time.UTC)

// env is a store under test.
type env struct {
	testing.TB
	metadata.Store
	ctx  context.Context
	open Opener
}

func newEnv(tb testing.TB, fresh Fresh) *env {
	e := &env{TB: tb, ctx: context.Background(), open: fresh(tb)}
	e.start()
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return e
}

func (e *env) start() {
	e.Helper()
	s, err := e.open()
	if err != nil {
		e.Fatalf("open: %v", err)
	}
	e.Store = s
}

// reopen ends the process, as far as the store can tell.
func (e *env) reopen() {
	e.Helper()
	e.ok(e.Close())
	e.start()
}

func (e *env) ok(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

func (e *env) is(err, target error) {
	e.Helper()
	if !errors.Is(err, target) {
		e.Fatalf("error is %v, want %v", err, target)
	}
}

func (e *env) absent(err error) {
	e.Helper()
	e.is(err, fs.ErrNotExist)
}

// inUse expects that parent holds what was to be deleted.
func (e *env) inUse(err error, parent oci.Digest) {
	e.Helper()
	var held *metadata.InUseError
	if !errors.As(err, &held) || held.Parent != parent {
		e.Fatalf("error is %v, want that %s needs it", err, parent)
	}
}

// missing expects a refusal that names exactly these, in any order.
func (e *env) missing(err error, want ...oci.Digest) {
	e.Helper()
	var missing *metadata.MissingError
	if !errors.As(err, &missing) {
		e.Fatalf("error is %v, want a *MissingError", err)
	}
	if got := missing.Digests; len(got) != len(want) || !reflect.DeepEqual(set(got), set(want)) {
		e.Fatalf("missing %v, want %v", got, want)
	}
}

func set[T comparable](list []T) map[T]bool {
	m := map[T]bool{}
	for _, v := range list {
		m[v] = true
	}
	return m
}

func equal(tb testing.TB, got, want any) {
	tb.Helper()
	if !reflect.DeepEqual(got, want) {
		tb.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

// all reads a listing to its end. It is never nil, so that it compares.
func all[T any](tb testing.TB, seq iter.Seq2[T, error]) []T {
	tb.Helper()
	return first(tb, seq, -1)
}

// first reads n entries of a listing and breaks off.
func first[T any](tb testing.TB, seq iter.Seq2[T, error], n int) []T {
	tb.Helper()
	list := []T{}
	if n == 0 {
		return list
	}
	for v, err := range seq {
		if err != nil {
			tb.Fatalf("listing: %v", err)
		}
		if list = append(list, v); len(list) == n {
			break
		}
	}
	return list
}

// failing expects a listing that consists of one error.
func failing[T any](e *env, seq iter.Seq2[T, error], target error) {
	e.Helper()
	n := 0
	for _, err := range seq {
		e.is(err, target)
		n++
	}
	if n != 1 {
		e.Fatalf("the listing has %d entries, want the error alone", n)
	}
}

// parallel runs f(0) to f(n-1) in as many goroutines at once as given.
func parallel(n, goroutines int, f func(i int)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range goroutines {
		wg.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}
