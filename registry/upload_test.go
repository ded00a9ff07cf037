package registry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/registry"
	"github.com/berth-registry/berth/storage"
)

// TestTooManySessions counts per principal, and what has ended does not count.
func TestTooManySessions(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{options: func(o *registry.Options) { o.MaxSessions = 3 }})
	a, b, c := s.start(), s.start(), s.start()
	full := func() {
		t.Helper()
		_, err := s.StartUpload(s.ctx, repo, alice, "")
		s.want("one too many", err, oci.ErrTooManyRequests)
	}
	full()
	_, err := s.StartUpload(s.ctx, repo, "user:bob", "")
	s.must(err)
	s.must(s.CancelUpload(s.ctx, a))
	s.start()
	full()
	s.finish(b, ten, ten)
	s.start()
	full()
	_, _, err = s.FinishUpload(s.ctx, c, chunk(ten), digestOf("other"))
	s.want("a wrong digest", err, oci.ErrDigestInvalid)
	s.start()
	full()
}

// small is storage with room for so many bytes more in all.
type small struct {
	storage.Store
	room int
}

type smallUpload struct {
	storage.Upload
	s *small
}

func (s *small) Begin(ctx context.Context, hint storage.Hint) (storage.Upload, error) {
	u, err := s.Store.Begin(ctx, hint)
	return &smallUpload{u, s}, err
}

func (s *small) Resume(ctx context.Context, state storage.State) (storage.Upload, error) {
	u, err := s.Store.Resume(ctx, state)
	if err != nil {
		return nil, err
	}
	return &smallUpload{u, s}, nil
}

func (u *smallUpload) Write(p []byte) (int, error) {
	if len(p) <= u.s.room {
		u.s.room -= len(p)
		return u.Upload.Write(p)
	}
	n, err := u.Upload.Write(p[:u.s.room])
	u.s.room = 0
	return n, errors.Join(fmt.Errorf("write: %w", storage.ErrNoSpace), err)
}

// TestStorageFull says 507, gives back the space that the request took, and
// goes on when there is space again.
func TestStorageFull(t *testing.T) {
	t.Parallel()
	for _, room := range []int{0, 3, 9} {
		disk := &small{room: 1 << 20}
		s := newStack(t, settings{storage: func(next storage.Store) storage.Store { disk.Store = next; return disk }})
		id := s.start()
		disk.room = room
		_, err := s.AppendUpload(s.ctx, id, chunk(ten))
		s.want("a chunk", err, oci.ErrStorageFull)
		if got, n := s.size(id), s.leftovers(); got != 0 || n != 0 {
			t.Errorf("room for %d: the session has %d bytes, %d files", room, got, n)
		}
		_, err = s.AppendUpload(s.ctx, id, chunk("x"))
		s.want("another", err, oci.ErrStorageFull)
		_, _, err = s.FinishUpload(s.ctx, id, chunk("x"), digestOf("x"))
		s.want("the last", err, oci.ErrStorageFull)
		_, err = s.PushBlob(s.ctx, repo, digestOf(ten), int64(len(ten)), strings.NewReader(ten))
		s.want("a whole blob", err, oci.ErrStorageFull)
		disk.room = 100
		s.finish(id, ten, ten)
		if n := s.leftovers(); n != 0 {
			t.Errorf("%d files of dead uploads", n)
		}
	}
}

// faulty is metadata that fails where it is told to.
type faulty struct {
	registry.Metadata
	link, put error
}

func (f *faulty) LinkBlob(ctx context.Context, repo string, b metadata.Blob, session string) error {
	if f.link != nil {
		return f.link
	}
	return f.Metadata.LinkBlob(ctx, repo, b, session)
}

func (f *faulty) PutSession(ctx context.Context, s metadata.Session) error {
	if f.put != nil {
		return f.put
	}
	return f.Metadata.PutSession(ctx, s)
}

func newFaulty(t *testing.T) (*stack, *faulty) {
	f := new(faulty)
	return newStack(t, settings{meta: func(m registry.Metadata) registry.Metadata { f.Metadata = m; return f }}), f
}

// TestLinkFails: the bytes are in storage, but nothing is visible without its
// transaction. The client pushes again and finds nothing in its way.
func TestLinkFails(t *testing.T) {
	t.Parallel()
	s, f := newFaulty(t)
	f.link = errors.New("disk")
	id := s.start()
	s.append(id, ten)
	_, _, err := s.FinishUpload(s.ctx, id, chunk(""), digestOf(ten))
	known := (*oci.Error)(nil)
	if !errors.Is(err, f.link) || errors.As(err, &known) {
		t.Errorf("%v, want a failure of ours", err)
	}
	_, err = s.PushBlob(s.ctx, repo, digestOf(ten), -1, strings.NewReader(ten))
	if !errors.Is(err, f.link) {
		t.Errorf("whole blob: %v", err)
	}
	_, err = s.Blob(s.ctx, repo, digestOf(ten))
	s.want("the blob", err, oci.ErrBlobUnknown)
	f.link = nil
	_, _, err = s.FinishUpload(s.ctx, id, chunk(""), digestOf(ten))
	s.want("the session, whose bytes have been published", err, oci.ErrUploadUnknown)
	if s.size(id) != -1 {
		t.Error("a session without its bytes is still there")
	}
	s.finish(s.start(), ten, ten)
}

// TestSessionConflict is another process that has written to the session
// meanwhile: its version tells.
func TestSessionConflict(t *testing.T) {
	t.Parallel()
	s, f := newFaulty(t)
	id := s.start()
	s.append(id, "01234")
	f.put = metadata.ErrConflict
	_, err := s.AppendUpload(s.ctx, id, chunk("xxxxx"))
	s.want("the second writer", err, oci.ErrUploadBusy)
	f.put = errors.New("disk")
	_, err = s.AppendUpload(s.ctx, id, chunk("yyyyy"))
	if !errors.Is(err, f.put) {
		t.Error(err)
	}
	_, err = s.StartUpload(s.ctx, repo, alice, "")
	if !errors.Is(err, f.put) {
		t.Error(err)
	}
	f.put = nil
	s.finish(id, "56789", ten) // what was not recorded has not happened
}

// TestSessionNotRecorded gives back the space of a chunk that no session knows
// of: a disk that had no room for the session would stay full of it.
func TestSessionNotRecorded(t *testing.T) {
	t.Parallel()
	s, f := newFaulty(t)
	id := s.start()
	for _, kept := range []string{"", "01234"} {
		s.append(id, kept)
		f.put = storage.ErrNoSpace
		_, err := s.AppendUpload(s.ctx, id, chunk("xxxxx"))
		if !errors.Is(err, f.put) {
			t.Errorf("the chunk: %v", err)
		}
		f.put = nil
		if got := s.received(); got != len(kept) {
			t.Errorf("after %q: %d bytes in files of uploads", kept, got)
		}
	}
	s.finish(id, "56789", ten)
}

// TestSessionLost is a session whose bytes a power cut took: the client has
// to begin again and is told so.
func TestSessionLost(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	id := s.start()
	s.append(id, ten)
	files, err := filepath.Glob(filepath.Join(s.dir, "storage", "_uploads", "*"))
	s.must(err)
	for _, f := range files {
		s.must(os.Remove(f))
	}
	_, err = s.AppendUpload(s.ctx, id, chunk("x"))
	s.want("the next chunk", err, oci.ErrUploadUnknown)
	if s.size(id) != -1 {
		t.Error("the session is still there")
	}
}

// TestBrokenOff keeps what arrived before a connection broke or its request
// was given up, and says that it was not our fault.
func TestBrokenOff(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	reset := errors.New("connection reset")
	id := s.start()
	body, in := io.Pipe()
	ctx, cancel := context.WithCancel(s.ctx)
	done := make(chan error, 1)
	go func() {
		_, err := s.AppendUpload(ctx, id, registry.Chunk{Body: body, Start: 0, Length: 10})
		done <- err
	}()
	_, err := io.WriteString(in, "01234")
	s.must(err)
	cancel()
	s.must(in.CloseWithError(reset))
	err = <-done
	read := (*registry.ReadError)(nil)
	if !errors.As(err, &read) || !errors.Is(err, reset) || !strings.HasPrefix(read.Error(), "read from client") {
		t.Errorf("%v, want a ReadError", err)
	}
	if got := s.size(id); got != 5 {
		t.Errorf("%d bytes", got)
	}
	s.finish(id, "56789", ten)
}

// TestMaxBlob counts over all chunks of a session.
func TestMaxBlob(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{options: func(o *registry.Options) { o.MaxBlob = 10 }})
	id := s.start()
	for range 10 {
		s.append(id, "x")
	}
	_, err := s.AppendUpload(s.ctx, id, chunk("x"))
	s.want("the eleventh byte", err, oci.ErrTooLarge)
	if s.size(id) != -1 || s.leftovers() != 0 {
		t.Error("what can never become a blob is still there")
	}
}
