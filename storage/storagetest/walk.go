package storagetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

var walkTests = []test{
	{"Nothing", (*suite).empty},
	{"All", testWalkAll},
	{"Stops", testWalkStops},
	{"DeleteFromWithin", testDeleteFromWithin},
	{"WhileWriting", testWalkWhileWriting},
	{"CancelledContext", testWalkCancelled},
}

// Blobs of both algorithms and of no bytes; no unfinished upload.
func testWalkAll(s *suite) {
	started := time.Now()
	want := make(map[storage.Key]int64)
	for i, size := range []int{0, 1, 1000, 100_000} {
		body := content(size, uint64(80+i))
		for _, a := range []oci.Algorithm{oci.SHA256, oci.SHA512} {
			u := s.begin(s.reopen(), storage.Hint{Algorithm: a})
			s.write(u, body)
			want[s.commit(u, oci.FromBytes(a, body))] = int64(size)
		}
	}
	state := s.suspended(content(1000, 90))
	st := s.reopen()
	s.write(s.begin(st, storage.Hint{}), content(1000, 91)) // an upload in progress

	seen := s.walk(st)
	if len(seen) != len(want) {
		s.Errorf("Walk shows %d blobs, want %d", len(seen), len(want))
	}
	for key, size := range want {
		info, found := seen[key]
		if !found || info.Size != size {
			s.Errorf("%s: found %t with %d bytes, want %d", key, found, info.Size, size)
		}
		if age := info.ModTime.Sub(started); age < -time.Hour || age > time.Hour {
			s.Errorf("%s: modified at %v, want about %v", key, info.ModTime, started)
		}
	}
	u := s.resume(state, 1000)
	s.ok("Cancel", u.Cancel(s.Context()))
}

func (s *suite) fill(st storage.Store, n int) map[storage.Key]bool {
	s.Helper()
	keys := make(map[storage.Key]bool)
	for i := range n {
		keys[s.put(st, content(100, uint64(1000+i)))] = true
	}
	return keys
}

func testWalkStops(s *suite) {
	s.fill(s.reopen(), 10)
	visited := 0
	for _, err := range s.reopen().Walk(s.Context()) {
		s.ok("Walk", err)
		if visited++; visited == 3 {
			break
		}
	}
	if visited != 3 {
		s.Errorf("visited %d, want 3", visited)
	}
}

// Garbage collection deletes while it walks.
func testDeleteFromWithin(s *suite) {
	st := s.reopen()
	s.fill(st, 50)
	for info, err := range st.Walk(s.Context()) {
		s.ok("Walk", err)
		s.ok("Delete", st.Delete(s.Context(), info.Key))
	}
	s.empty()
}

// What was there before the walk, and still is, is seen.
func testWalkWhileWriting(s *suite) {
	st := s.reopen()
	before := s.fill(st, 50)
	errs := make([]error, 4)
	var done sync.WaitGroup
	for w := range errs {
		done.Go(func() {
			for i := range 25 {
				errs[w] = errors.Join(errs[w], churn(s, st, content(200, uint64(2000+100*w+i)), i%2 == 0))
			}
		})
	}
	for range 5 {
		seen := s.walk(st)
		for key := range before {
			if _, found := seen[key]; !found {
				s.Errorf("Walk misses %s", key)
			}
		}
	}
	done.Wait()
	s.ok("writers", errors.Join(errs...))
}

// churn commits a blob and deletes it again.
func churn(s *suite, st storage.Store, body []byte, remove bool) error {
	u, err := upload(s, st, body)
	if err != nil {
		return err
	}
	key, err := u.Commit(s.Context(), digestOf(body))
	if err != nil || !remove {
		return err
	}
	return st.Delete(s.Context(), key)
}

func testWalkCancelled(s *suite) {
	st := s.reopen()
	s.fill(st, 5)
	calls := 0
	for _, err := range st.Walk(s.cancelled()) {
		calls++
		s.is("Walk", err, context.Canceled)
	}
	if calls != 1 {
		s.Errorf("a cancelled Walk yields %d times, want once", calls)
	}

	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	var last error
	for _, last = range st.Walk(ctx) {
		cancel()
	}
	s.is("Walk cancelled half-way", last, context.Canceled)
}
