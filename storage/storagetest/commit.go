package storagetest

import (
	"errors"
	"io/fs"
	"sync"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

var commitTests = []test{
	{"Hints", testHints},
	{"AlgorithmSwitched", testAlgorithmSwitched},
	{"Empty", testEmpty},
	{"Mismatch", testMismatch},
	{"Twice", testTwice},
}

var concurrentTests = []test{
	{"SameDigest", testSameDigest},
	{"OtherDigests", testOtherDigests},
	{"CommitAndDelete", testCommitAndDelete},
}

// A hint may say anything: the bytes are stored.
func testHints(s *suite) {
	body := content(10_000, 40)
	d256, d512 := digestOf(body), oci.FromBytes(oci.SHA512, body)
	hints := []storage.Hint{
		{},
		{Algorithm: oci.SHA256, Digest: d256, Size: 10_000},
		{Digest: d512, Size: 10_000},
		{Algorithm: oci.SHA512, Digest: d256},
		{Algorithm: "md5", Digest: "nonsense", Size: -1},
		{Digest: digestOf(nil), Size: 1 << 40},
		{Size: 1},
		{Copy: true},
	}
	for _, hint := range hints {
		for _, d := range []oci.Digest{d256, d512} {
			u := s.begin(s.reopen(), hint)
			s.write(u, body)
			key := s.commit(u, d)
			s.holds(s.reopen(), key, body)
		}
	}
}

// The algorithm of the digest asked for at the end is another than the one
// that the upload began with.
func testAlgorithmSwitched(s *suite) {
	body := content(2<<20+7, 41)
	switches := map[oci.Algorithm]oci.Algorithm{oci.SHA256: oci.SHA512, oci.SHA512: oci.SHA256}
	for from, to := range switches {
		u := s.begin(s.reopen(), storage.Hint{Algorithm: from})
		s.write(u, body[:1_000_000])
		u = s.resume(s.suspend(u), 1_000_000)
		s.write(u, body[1_000_000:])
		key := s.commit(u, oci.FromBytes(to, body))
		s.holds(s.reopen(), key, body)
	}
}

func testEmpty(s *suite) {
	for _, a := range []oci.Algorithm{oci.SHA256, oci.SHA512} {
		d := oci.FromBytes(a, nil)
		u := s.begin(s.reopen(), storage.Hint{})
		key := s.commit(u, d)
		s.holds(s.reopen(), key, nil)

		u = s.resume(s.suspend(s.begin(s.reopen(), storage.Hint{})), 0)
		s.write(u, nil)
		key = s.commit(u, d)
		s.holds(s.reopen(), key, nil)
	}
}

func testMismatch(s *suite) {
	body := content(10_000, 42)
	wrong := []oci.Digest{
		digestOf(nil),
		digestOf(body[1:]),
		oci.FromBytes(oci.SHA512, body[1:]), // found by reading again
	}
	for _, d := range wrong {
		for _, resumed := range []bool{false, true} {
			u := s.begin(s.reopen(), storage.Hint{})
			s.write(u, body)
			if resumed {
				u = s.resume(s.suspend(u), 10_000)
			}
			_, err := u.Commit(s.Context(), d)
			s.is("Commit", err, storage.ErrDigestMismatch)
			s.ok("Cancel", u.Cancel(s.Context()))
			s.empty()
		}
	}
	_, err := s.begin(s.reopen(), storage.Hint{}).Commit(s.Context(), digestOf(body))
	s.is("Commit of nothing", err, storage.ErrDigestMismatch)
	s.empty()
}

// A mismatch must not harm the blob that has the digest asked for.
func testTwice(s *suite) {
	body := content(50_000, 43)
	keys := []storage.Key{s.put(s.reopen(), body), s.put(s.reopen(), body)}
	u := s.begin(s.reopen(), storage.Hint{})
	s.write(u, body[1:])
	_, err := u.Commit(s.Context(), digestOf(body))
	s.is("Commit", err, storage.ErrDigestMismatch)
	for _, key := range keys {
		s.holds(s.reopen(), key, body)
	}
	for _, key := range keys {
		s.ok("Delete", s.reopen().Delete(s.Context(), key))
	}
	s.empty()
}

func testSameDigest(s *suite) {
	body := content(100_000, 44)
	s.commitAll(32, func(int) []byte { return body })
}

func testOtherDigests(s *suite) {
	s.commitAll(64, func(i int) []byte { return content(1000+i, uint64(100+i)) })
}

// commitAll starts n uploads and commits them at the same moment.
func (s *suite) commitAll(n int, body func(i int) []byte) {
	st := s.reopen()
	keys, errs := make([]storage.Key, n), make([]error, n)
	var written, done sync.WaitGroup
	written.Add(n)
	for i := range n {
		done.Go(func() {
			u, err := upload(s, st, body(i))
			written.Done()
			written.Wait()
			if err != nil {
				errs[i] = err
				return
			}
			keys[i], errs[i] = u.Commit(s.Context(), digestOf(body(i)))
		})
	}
	done.Wait()
	s.ok("concurrent commits", errors.Join(errs...))
	st = s.reopen()
	seen := s.walk(st)
	for i, key := range keys {
		s.holds(st, key, body(i))
		if _, found := seen[key]; !found {
			s.Errorf("Walk does not show %s", key)
		}
	}
}

// upload is begin and write for goroutines, which must not end the test.
func upload(s *suite, st storage.Store, body []byte) (storage.Upload, error) {
	u, err := st.Begin(s.Context(), storage.Hint{})
	if err != nil {
		return nil, err
	}
	_, err = u.Write(body)
	return u, err
}

// Commits race with Deletes of what they commit. A reader sees all of the blob
// or none, no call fails, and a Commit after the last Delete holds.
func testCommitAndDelete(s *suite) {
	st := s.reopen()
	body := content(2000, 45)
	key := s.put(st, body)
	var errs [3]error
	var done sync.WaitGroup
	for i, step := range []func() error{
		func() error {
			u, err := upload(s, st, body)
			if err == nil {
				_, err = u.Commit(s.Context(), digestOf(body))
			}
			return err
		},
		func() error { return st.Delete(s.Context(), key) },
		func() error { return wholeOrAbsent(s, st, key, int64(len(body))) },
	} {
		done.Go(func() {
			for range 100 {
				errs[i] = errors.Join(errs[i], step())
			}
		})
	}
	done.Wait()
	s.ok("commits and deletes", errors.Join(errs[:]...))
	key = s.put(s.reopen(), body)
	s.holds(s.reopen(), key, body)
}

func wholeOrAbsent(s *suite, st storage.Store, key storage.Key, size int64) error {
	b, err := st.Open(s.Context(), key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer b.Close()
	if b.Size() != size {
		return errors.New("a part of the blob was visible")
	}
	return nil
}
