package storagetest

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing/iotest"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

var blobTests = []test{
	{"Absent", testAbsent},
	{"Reader", testReader},
	{"Ranges", testRanges},
	{"Seek", testSeek},
	{"ManyReaders", testManyReaders},
	{"Delete", testDelete},
	{"DeleteWhileOpen", testDeleteWhileOpen},
	{"InvalidKeys", testInvalidKeys},
}

func testAbsent(s *suite) {
	key := s.put(s.reopen(), []byte("was here"))
	s.ok("Delete", s.reopen().Delete(s.Context(), key))
	s.gone(s.reopen(), key)
	s.ok("Delete again", s.reopen().Delete(s.Context(), key))
	s.empty()
}

func testReader(s *suite) {
	body := content(10_007, 60)
	key := s.put(s.reopen(), body)
	b, err := s.reopen().Open(s.Context(), key)
	s.ok("Open", err)
	defer b.Close()
	s.ok("iotest", iotest.TestReader(b, body))
}

// What an HTTP range asks for.
func testRanges(s *suite) {
	const size = 3<<20 + 5
	body := content(size, 61)
	key := s.put(s.reopen(), body)
	st := s.reopen()
	for _, r := range [][2]int{{0, 1}, {0, size}, {1, 2}, {4095, 2}, {1 << 20, 1 << 20}, {size - 1, 1}, {size, 0}} {
		b, err := st.Open(s.Context(), key)
		s.ok("Open", err)
		at, err := b.Seek(int64(r[0]), io.SeekStart)
		s.ok("Seek", err)
		got := make([]byte, r[1])
		_, err = io.ReadFull(b, got)
		s.ok("read", err)
		if at != int64(r[0]) || !bytes.Equal(got, body[r[0]:r[0]+r[1]]) {
			s.Errorf("%d bytes at %d: other bytes (Seek = %d)", r[1], r[0], at)
		}
		s.ok("Close", b.Close())
	}
}

func testSeek(s *suite) {
	body := []byte("0123456789")
	key := s.put(s.reopen(), body)
	b, err := s.reopen().Open(s.Context(), key)
	s.ok("Open", err)
	defer b.Close()
	steps := []struct {
		offset int64
		whence int
		want   int64
		rest   string
	}{
		{0, io.SeekEnd, 10, ""},
		{-3, io.SeekEnd, 7, "789"},
		{-8, io.SeekCurrent, 2, "23456789"},
		{5, io.SeekStart, 5, "56789"},
		{0, io.SeekCurrent, 10, ""},
		{20, io.SeekStart, 20, ""},
		{0, io.SeekStart, 0, "0123456789"},
	}
	for _, step := range steps {
		at, err := b.Seek(step.offset, step.whence)
		s.ok("Seek", err)
		rest, err := io.ReadAll(b)
		s.ok("read", err)
		if at != step.want || string(rest) != step.rest {
			s.Errorf("Seek(%d, %d) = %d, then %q; want %d, %q", step.offset, step.whence, at, rest, step.want, step.rest)
		}
	}
	if _, err := b.Seek(-1, io.SeekStart); err == nil {
		s.Error("Seek before the start: no error")
	}
}

func testManyReaders(s *suite) {
	body := content(200_000, 62)
	key := s.put(s.reopen(), body)
	st := s.reopen()
	errs := make([]error, 16)
	var done sync.WaitGroup
	for i := range errs {
		done.Go(func() { errs[i] = readFrom(s, st, key, body, i*1000) })
	}
	done.Wait()
	s.ok("concurrent reads", errors.Join(errs...))
}

func readFrom(s *suite, st storage.Store, key storage.Key, body []byte, offset int) error {
	b, err := st.Open(s.Context(), key)
	if err != nil {
		return err
	}
	defer b.Close()
	if _, err := b.Seek(int64(offset), io.SeekStart); err != nil {
		return err
	}
	got, err := io.ReadAll(b)
	if err == nil && !bytes.Equal(got, body[offset:]) {
		err = errors.New("readers disturb each other")
	}
	return err
}

func testDelete(s *suite) {
	one, two := content(1000, 63), content(1000, 64)
	key, other := s.put(s.reopen(), one), s.put(s.reopen(), two)
	s.ok("Delete", s.reopen().Delete(s.Context(), key))
	s.gone(s.reopen(), key)
	s.holds(s.reopen(), other, two)
	again := s.put(s.reopen(), one)
	s.holds(s.reopen(), again, one)
}

func testDeleteWhileOpen(s *suite) {
	body := content(1<<20, 65)
	st := s.reopen()
	key := s.put(st, body)
	b, err := st.Open(s.Context(), key)
	s.ok("Open", err)
	defer b.Close()
	got := make([]byte, len(body))
	_, err = io.ReadFull(b, got[:1000])
	s.ok("read", err)
	s.ok("Delete", st.Delete(s.Context(), key))
	s.gone(st, key)
	_, err = io.ReadFull(b, got[1000:])
	s.ok("read after Delete", err)
	if !bytes.Equal(got, body) {
		s.Error("Delete changed an open blob")
	}
}

// No store makes these keys. They open nothing, delete nothing and lead
// nowhere.
func testInvalidKeys(s *suite) {
	body := content(100, 66)
	d := digestOf(body)
	key := s.put(s.reopen(), body)
	state := s.suspended(body)
	keys := []storage.Key{
		"", ".", "..", "/", "data", "../../../../../_lock", "/etc/passwd", "_uploads", "../_uploads",
		"a\x00b", "sha256", "sha256:", "sha256/", "md5:d41d8cd98f00b204e9800998ecf8427e",
		"sha256:../../../../../../../../../etc/passwd",
		key + "/", key + "/..", key + "x", key + "\x00", "/" + key, "./" + key, " " + key,
		storage.Key("sha256:" + strings.ToUpper(d.Hex())),
		storage.Key("sha512:" + d.Hex()),
		storage.Key(oci.SHA256) + "/" + storage.Key(d.Hex()[:2]) + "/../" + key,
	}
	for _, bad := range keys {
		st := s.reopen()
		if _, err := st.Stat(s.Context(), bad); err == nil {
			s.Errorf("Stat(%q): no error", bad)
		} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid) {
			s.Errorf("Stat(%q): %v, want fs.ErrNotExist or fs.ErrInvalid", bad, err)
		}
		if b, err := st.Open(s.Context(), bad); err == nil {
			b.Close()
			s.Errorf("Open(%q): no error", bad)
		}
		_ = st.Delete(s.Context(), bad) // an error and the absence are both right
	}
	s.holds(s.reopen(), key, body)
	u := s.resume(state, 100)
	s.ok("Cancel", u.Cancel(s.Context()))
}
