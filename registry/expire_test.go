package registry_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"testing"
	"time"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/registry"
)

// TestExpire drops the sessions that nobody has touched for a day, with their
// bytes, and no others.
func TestExpire(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	idle, touched := s.start(), s.start()
	s.append(idle, ten)
	s.append(touched, "01234")
	expire := func(want int) {
		t.Helper()
		if n, err := s.Expire(s.ctx); n != want || err != nil {
			t.Errorf("%d dropped, %v; want %d", n, err, want)
		}
	}
	s.advance(22 * time.Hour)
	empty := s.start()
	s.advance(time.Hour)
	expire(1) // without a byte a session is kept for minutes
	s.append(touched, "")
	busy := s.start()
	s.append(busy, "0")
	s.advance(2 * time.Hour)
	fresh := s.start()
	expire(1)
	for name, want := range map[registry.SessionID]int64{empty: -1, idle: -1, touched: 5, busy: 1, fresh: 0} {
		if got := s.size(name); got != want {
			t.Errorf("a session of %d bytes, want %d", got, want)
		}
	}
	if n := s.leftovers(); n != 2 {
		t.Errorf("%d files, want those of the sessions that go on", n)
	}
	s.finish(touched, "56789", ten)
	s.advance(48 * time.Hour)
	expire(2)
	if n, err := s.bolt.CountSessions(s.ctx, alice); n != 0 || err != nil {
		t.Errorf("%d sessions, %v", n, err)
	}
}

// TestExpireBusy leaves alone what is being written to, however long that
// takes.
func TestExpireBusy(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	id := s.start()
	body, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := s.AppendUpload(s.ctx, id, registry.Chunk{Body: body, Start: -1, Length: -1})
		done <- err
	}()
	_, err := io.WriteString(in, "01234") // returns when it has been read
	s.must(err)
	s.advance(48 * time.Hour)
	if n, err := s.Expire(s.ctx); n != 0 || err != nil {
		t.Errorf("%d dropped, %v", n, err)
	}
	_, err = io.WriteString(in, "56789")
	s.must(err)
	s.must(in.Close())
	s.must(<-done)
	s.finish(id, "", ten)
}

// TestExpireOrphans removes what uploads left behind that no session has.
func TestExpireOrphans(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	id, lost := s.start(), s.start()
	s.append(id, "01234")
	s.append(lost, "x")
	s.must(s.bolt.DeleteSession(s.ctx, lost.ID)) // as after a power cut
	if n, err := s.Expire(s.ctx); n != 0 || err != nil || s.leftovers() != 2 {
		t.Errorf("too young: %d dropped, %v", n, err)
	}
	s.advance(25 * time.Hour)
	s.append(id, "56789")
	if n, err := s.Expire(s.ctx); n != 1 || err != nil || s.leftovers() != 1 {
		t.Errorf("%d dropped, %v, %d files left", n, err, s.leftovers())
	}
	s.finish(id, "", ten)
}

// lister shows sessions and, when it has shown them all, lets something happen
// before anybody acts on it.
type lister struct {
	registry.Metadata
	then func()
	err  error
}

func (l *lister) Sessions(ctx context.Context) iter.Seq2[metadata.Session, error] {
	return func(yield func(metadata.Session, error) bool) {
		for s, err := range l.Metadata.Sessions(ctx) {
			if !yield(s, err) {
				return
			}
		}
		if l.err != nil {
			yield(metadata.Session{}, l.err)
		}
		if l.then != nil {
			l.then()
		}
	}
}

// TestExpireWentOn keeps a session that its client goes on with between the
// look at the list and the drop.
func TestExpireWentOn(t *testing.T) {
	t.Parallel()
	l := new(lister)
	s := newStack(t, settings{meta: func(m registry.Metadata) registry.Metadata { l.Metadata = m; return l }})
	id := s.start()
	s.append(id, "01234")
	s.advance(25 * time.Hour)
	l.then = func() { s.append(id, "56789") }
	if n, err := s.Expire(s.ctx); n != 0 || err != nil {
		t.Errorf("%d dropped, %v", n, err)
	}
	l.then = nil
	s.finish(id, "", ten)
}

// TestExpireFails sweeps nothing when it does not know what is alive.
func TestExpireFails(t *testing.T) {
	t.Parallel()
	l := &lister{err: errors.New("disk")}
	s := newStack(t, settings{meta: func(m registry.Metadata) registry.Metadata { l.Metadata = m; return l }})
	id := s.start()
	s.append(id, ten)
	s.advance(48 * time.Hour)
	if n, err := s.Expire(s.ctx); n != 0 || !errors.Is(err, l.err) {
		t.Errorf("%d dropped, %v", n, err)
	}
	if s.size(id) != int64(len(ten)) {
		t.Error("the session is gone")
	}
	s.want("a session of nobody", s.CancelUpload(s.ctx, registry.SessionID{Repo: repo, Principal: alice, ID: "x"}), oci.ErrUploadUnknown)
}
