package storagetest

import (
	"bytes"
	"io/fs"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

var resumeTests = []test{
	{"Chunks", testChunks},
	{"NothingWritten", testNothingWritten},
	{"DropsLaterBytes", testDropsLaterBytes},
	{"DropsBytesOfFirstRequest", testDropsBytesOfFirstRequest},
	{"AgainAndAgain", testAgainAndAgain},
	{"Gone", testGone},
	{"TwoUploads", testTwoUploads},
	{"BadState", testBadState},
}

// Big, in odd chunks, each by another process; with both algorithms.
func testChunks(s *suite) {
	body := content(5<<20+12_345, 20)
	sizes := []int{1, 63, 64, 65, 4095, 70_001, 1 << 20, 777_777}
	for _, a := range []oci.Algorithm{oci.SHA256, oci.SHA512} {
		u := s.begin(s.reopen(), storage.Hint{Algorithm: a})
		sent := 0
		for i := 0; sent < len(body); i++ {
			chunk := body[sent:min(sent+sizes[i%len(sizes)], len(body))]
			s.write(u, chunk[:len(chunk)/3])
			s.write(u, chunk[len(chunk)/3:])
			sent += len(chunk)
			u = s.resume(s.suspend(u), int64(sent))
		}
		key := s.commit(u, oci.FromBytes(a, body))
		s.holds(s.reopen(), key, body)
	}
}

func testNothingWritten(s *suite) {
	state := s.suspend(s.begin(s.reopen(), storage.Hint{Algorithm: oci.SHA512}))
	state = s.suspend(s.resume(state, 0))
	s.empty()
	u := s.resume(state, 0)
	s.write(u, []byte("late"))
	key := s.commit(u, oci.FromBytes(oci.SHA512, []byte("late")))
	s.holds(s.reopen(), key, []byte("late"))
}

// A request that dies after some writes leaves the state as it was.
func testDropsLaterBytes(s *suite) {
	body := content(200_000, 21)
	state := s.suspended(body[:100_000])
	s.write(s.resume(state, 100_000), content(300_000, 22)) // and the process ends
	u := s.resume(state, 100_000)
	s.write(u, body[100_000:])
	key := s.commit(u, digestOf(body))
	s.holds(s.reopen(), key, body)
}

func testDropsBytesOfFirstRequest(s *suite) {
	state := s.suspend(s.begin(s.reopen(), storage.Hint{}))
	s.write(s.resume(state, 0), content(1000, 23)) // and the process ends
	u := s.resume(state, 0)
	s.write(u, []byte("other"))
	key := s.commit(u, digestOf([]byte("other")))
	s.holds(s.reopen(), key, []byte("other"))
}

// Suspend without a Write between changes nothing.
func testAgainAndAgain(s *suite) {
	body := content(5000, 24)
	state := s.suspended(body)
	for range 3 {
		state = s.suspend(s.resume(state, 5000))
	}
	u := s.resume(state, 5000)
	key := s.commit(u, digestOf(body))
	s.holds(s.reopen(), key, body)
}

func testGone(s *suite) {
	body := content(3000, 25)
	state := s.suspended(body)
	key := s.commit(s.resume(state, 3000), digestOf(body))
	_, err := s.reopen().Resume(s.Context(), state)
	s.is("Resume after Commit", err, fs.ErrNotExist)
	s.holds(s.reopen(), key, body)

	state = s.suspended(body)
	_, err = s.resume(state, 3000).Commit(s.Context(), digestOf(nil))
	s.is("Commit", err, storage.ErrDigestMismatch)
	_, err = s.reopen().Resume(s.Context(), state)
	s.is("Resume after a mismatch", err, fs.ErrNotExist)
}

// A client that lost its connection sends the chunk again while the first
// request still runs. Whichever commits, the bytes are the right ones.
func testTwoUploads(s *suite) {
	head := content(10_000, 26)
	one := append(bytes.Clone(head), content(50_000, 27)...)
	two := append(bytes.Clone(head), content(50_000, 28)...)
	st := s.reopen()
	first := s.begin(st, storage.Hint{})
	s.write(first, head)
	state := s.suspend(first)

	first, err := st.Resume(s.Context(), state)
	s.ok("Resume", err)
	s.write(first, one[10_000:40_000])
	second, err := st.Resume(s.Context(), state)
	s.ok("Resume", err)
	s.write(second, two[10_000:20_000])
	_, firstErr := first.Write(one[40_000:])
	_, secondErr := second.Write(two[20_000:])
	if firstErr == nil {
		s.commitWhole(st, first, one)
	}
	if secondErr == nil {
		s.commitWhole(st, second, two)
	}
	s.ok("Cancel", first.Cancel(s.Context()))
	s.ok("Cancel", second.Cancel(s.Context()))
}

// commitWhole allows Commit to fail, but not to publish other bytes.
func (s *suite) commitWhole(st storage.Store, u storage.Upload, body []byte) {
	s.Helper()
	if key, err := u.Commit(s.Context(), digestOf(body)); err == nil {
		s.holds(st, key, body)
	}
}

func testBadState(s *suite) {
	good := s.suspended(content(1000, 29))
	st := s.reopen()
	bad := []storage.State{nil, {}, {0}, []byte("garbage"), bytes.Repeat([]byte{0xff}, 4096)}
	for n := range good {
		bad = append(bad, good[:n])
	}
	for _, state := range bad {
		if _, err := st.Resume(s.Context(), state); err == nil {
			s.Errorf("Resume(%x): no error", []byte(state))
		}
	}
	u := s.resume(good, 1000)
	s.ok("Cancel", u.Cancel(s.Context()))
}
