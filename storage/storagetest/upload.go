package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing/iotest"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

var uploadTests = []test{
	{"Copy", testCopy},
	{"CopyFails", testCopyFails},
	{"WriteNothing", testWriteNothing},
	{"WriterKeepsNoBytes", testWriterKeepsNoBytes},
	{"Ended", testEnded},
	{"CancelFresh", testCancelFresh},
	{"CancelResumed", testCancelResumed},
	{"CancelAfterEnd", testCancelAfterEnd},
	{"CancelledContext", testCancelledContext},
	{"Check", testCheck},
}

func testCopy(s *suite) {
	body := content(300_001, 1)
	readers := map[string]io.Reader{
		"plain":      bytes.NewReader(body),
		"one byte":   iotest.OneByteReader(bytes.NewReader(body)),
		"half":       iotest.HalfReader(bytes.NewReader(body)),
		"data + EOF": iotest.DataErrReader(bytes.NewReader(body)),
	}
	for name, r := range readers {
		u := s.begin(s.reopen(), storage.Hint{})
		n, err := io.Copy(u, r)
		s.ok(name, err)
		if n != int64(len(body)) || u.Size() != n {
			s.Fatalf("%s: copied %d, size %d, want %d", name, n, u.Size(), len(body))
		}
		key := s.commit(u, digestOf(body))
		s.holds(s.reopen(), key, body)
	}
}

// A body that is cut off keeps what arrived, and its error is not swallowed.
func testCopyFails(s *suite) {
	body := content(100_000, 2)
	for _, cut := range []error{io.ErrUnexpectedEOF, errors.New("connection reset"), fmt.Errorf("cut off: %w", io.EOF)} {
		u := s.begin(s.reopen(), storage.Hint{})
		n, err := io.Copy(u, io.MultiReader(bytes.NewReader(body[:70_000]), iotest.ErrReader(cut)))
		s.is("copy", err, cut)
		if n != 70_000 || u.Size() != n {
			s.Fatalf("copied %d, size %d, want 70000", n, u.Size())
		}
		u = s.resume(s.suspend(u), 70_000)
		s.write(u, body[70_000:])
		key := s.commit(u, digestOf(body))
		s.holds(s.reopen(), key, body)
	}
}

func testWriteNothing(s *suite) {
	u := s.begin(s.reopen(), storage.Hint{})
	s.write(u, nil)
	s.write(u, []byte("a"))
	s.write(u, []byte{})
	u = s.resume(s.suspend(u), 1)
	s.write(u, nil)
	key := s.commit(u, digestOf([]byte("a")))
	s.holds(s.reopen(), key, []byte("a"))
}

// io.Writer must not retain p, nor change it.
func testWriterKeepsNoBytes(s *suite) {
	body := content(10_000, 3)
	u := s.begin(s.reopen(), storage.Hint{})
	p := make([]byte, 1000)
	for chunk := body; len(chunk) > 0; chunk = chunk[len(p):] {
		copy(p, chunk)
		s.write(u, p)
		if !bytes.Equal(p, chunk[:len(p)]) {
			s.Fatal("Write changed its argument")
		}
		clear(p)
	}
	key := s.commit(u, digestOf(body))
	s.holds(s.reopen(), key, body)
}

func testEnded(s *suite) {
	body := content(100, 4)
	d := digestOf(body)
	ends := map[string]func(storage.Upload) error{
		"Suspend": func(u storage.Upload) error { _, err := u.Suspend(s.Context()); return err },
		"Commit":  func(u storage.Upload) error { _, err := u.Commit(s.Context(), d); return err },
		"Cancel":  func(u storage.Upload) error { return u.Cancel(s.Context()) },
	}
	for name, end := range ends {
		u := s.begin(s.reopen(), storage.Hint{})
		s.write(u, body)
		s.ok(name, end(u))
		if n, err := u.Write(body); err == nil || n != 0 {
			s.Errorf("Write after %s = %d, %v, want an error", name, n, err)
		}
		if _, err := u.Suspend(s.Context()); err == nil {
			s.Errorf("Suspend after %s: no error", name)
		}
		if _, err := u.Commit(s.Context(), d); err == nil {
			s.Errorf("Commit after %s: no error", name)
		}
		s.ok("Cancel after "+name, u.Cancel(s.Context()))
	}
}

func testCancelFresh(s *suite) {
	for _, body := range [][]byte{nil, content(10_000, 5)} {
		u := s.begin(s.reopen(), storage.Hint{})
		s.write(u, body)
		s.ok("Cancel", u.Cancel(s.Context()))
		s.empty()
	}
}

func testCancelResumed(s *suite) {
	for _, more := range [][]byte{nil, content(10_000, 6)} {
		state := s.suspended(content(5000, 7))
		u := s.resume(state, 5000)
		s.write(u, more)
		s.ok("Cancel", u.Cancel(s.Context()))
		_, err := s.reopen().Resume(s.Context(), state)
		s.is("Resume after Cancel", err, fs.ErrNotExist)
		s.empty()
	}
}

// Cancel is deferred by callers: after another end it must change nothing.
func testCancelAfterEnd(s *suite) {
	body := content(1000, 8)
	u := s.begin(s.reopen(), storage.Hint{})
	s.write(u, body[:400])
	state := s.suspend(u)
	s.ok("Cancel after Suspend", u.Cancel(s.Context()))

	u = s.resume(state, 400)
	s.write(u, body[400:])
	key := s.commit(u, digestOf(body))
	s.ok("Cancel after Commit", u.Cancel(s.Context()))
	s.holds(s.reopen(), key, body)
}

func testCancelledContext(s *suite) {
	body := content(1000, 9)
	st := s.reopen()
	key := s.put(st, body)
	u := s.begin(st, storage.Hint{})
	s.write(u, body)
	state := s.suspend(u)

	ctx := s.cancelled()
	calls := map[string]func() error{
		"Resume": func() error { _, err := st.Resume(ctx, state); return err },
		"Open":   func() error { _, err := st.Open(ctx, key); return err },
		"Stat":   func() error { _, err := st.Stat(ctx, key); return err },
		"Delete": func() error { return st.Delete(ctx, key) },
		"Check":  func() error { return st.Check(ctx) },
	}
	for name, call := range calls {
		s.is(name, call(), context.Canceled)
	}
	s.holds(s.reopen(), key, body)
	s.commitCancelled(ctx)
	u = s.resume(state, 1000)
	s.ok("Cancel", u.Cancel(s.Context()))
}

func (s *suite) commitCancelled(ctx context.Context) {
	body := content(1000, 10)
	st := s.reopen()
	u := s.begin(st, storage.Hint{})
	s.write(u, body)
	_, err := u.Commit(ctx, digestOf(body))
	s.is("Commit", err, context.Canceled)
	s.ok("Cancel", u.Cancel(s.Context()))
	if n := len(s.walk(st)); n != 1 {
		s.Fatalf("the store holds %d blobs after a cancelled Commit, want 1", n)
	}
}

func testCheck(s *suite) {
	s.ok("Check", s.reopen().Check(s.Context()))
	s.empty()
	s.put(s.reopen(), []byte(oci.SHA256))
	s.ok("Check", s.reopen().Check(s.Context()))
}
