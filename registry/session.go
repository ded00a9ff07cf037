package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"sync"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// sessionLocks keeps two requests of this process from writing to one session
// at the same time. Between processes the session's version does.
type sessionLocks struct{ held sync.Map }

func (l *sessionLocks) try(id string) (release func(), ok bool) {
	if _, taken := l.held.LoadOrStore(id, nil); taken {
		return nil, false
	}
	return func() { l.held.Delete(id) }, true
}

// resume opens the session for writing where chunk c must continue it. It
// returns the session's state on an error too, so that the client can be told
// where to go on.
func (r *Registry) resume(ctx context.Context, id SessionID, c Chunk) (Session, storage.Upload, func(), error) {
	s, err := r.Upload(ctx, id)
	if err != nil {
		return s, nil, nil, err
	}
	release, ok := r.busy.try(s.ID)
	if !ok {
		return s, nil, nil, oci.ErrUploadBusy
	}
	s, up, err := r.reopen(ctx, id, c)
	if err != nil {
		release()
		return s, nil, nil, err
	}
	return s, up, release, nil
}

// reopen reads the session again, now that nobody else writes to it.
func (r *Registry) reopen(ctx context.Context, id SessionID, c Chunk) (Session, storage.Upload, error) {
	s, err := r.Upload(ctx, id)
	if err != nil {
		return s, nil, err
	}
	if c.Start >= 0 && c.Start != s.Size {
		return s, nil, oci.ErrUploadRange.With(fmt.Sprintf("the next chunk starts at %d", s.Size))
	}
	var up storage.Upload
	if s.State == nil {
		up, err = r.store.Begin(ctx, storage.Hint{Algorithm: s.Algorithm})
	} else {
		up, err = r.store.Resume(ctx, s.State)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		// A power cut took the bytes, or another version of berth wrote the
		// state; the client has to begin again.
		return s, nil, errors.Join(oci.ErrUploadUnknown, r.meta.DeleteSession(ctx, s.ID))
	}
	if err != nil {
		return s, nil, fmt.Errorf("resume upload: %w", err)
	}
	return s, up, nil
}

// suspend keeps what the upload has and records it in the session.
func (r *Registry) suspend(ctx context.Context, s Session, up storage.Upload) (Session, error) {
	next := s
	next.Size = up.Size()
	state, err := stateOf(ctx, up)
	if err != nil {
		return s, fmt.Errorf("suspend upload: %w", err)
	}
	next.State, next.Updated, next.Version = state, r.opts.Now(), s.Version+1
	err = r.meta.PutSession(ctx, next)
	if errors.Is(err, metadata.ErrConflict) {
		return s, oci.ErrUploadBusy
	}
	if err != nil {
		return s, fmt.Errorf("record upload: %w", errors.Join(err, r.takeBack(ctx, s, state)))
	}
	return next, nil
}

// takeBack drops a chunk that could not be recorded: its session stays as it
// was, and on a full disk it must not keep the space until the session expires.
func (r *Registry) takeBack(ctx context.Context, s Session, state storage.State) error {
	if s.State != nil {
		state = s.State
	}
	if state == nil {
		return nil
	}
	up, err := r.store.Resume(ctx, state)
	if err != nil {
		return err
	}
	return r.rewind(ctx, s, up)
}

// stateOf ends an upload for now. Before the first byte there is no state, so
// that rewind need not tell a state that holds nothing.
func stateOf(ctx context.Context, up storage.Upload) (storage.State, error) {
	if up.Size() == 0 {
		return nil, up.Cancel(ctx)
	}
	return up.Suspend(ctx)
}

// brokenOff ends a request whose chunk failed, and returns why. What arrived
// of it is kept, so that the client can go on, unless the chunk itself was
// wrong, or filled the disk: then the session stays as it was before.
func (r *Registry) brokenOff(ctx context.Context, s Session, up storage.Upload, why error) error {
	ctx = context.WithoutCancel(ctx)
	switch {
	case errors.Is(why, oci.ErrTooLarge):
		return errors.Join(why, r.drop(ctx, s, up))
	case errors.Is(why, oci.ErrSizeInvalid), errors.Is(why, oci.ErrStorageFull):
		return errors.Join(why, r.rewind(ctx, s, up))
	}
	_, err := r.suspend(ctx, s, up)
	return errors.Join(why, err)
}

// rewind leaves the session as it was: its state resumes where it stood, but
// an upload that had no state yet must not leave bytes behind.
func (r *Registry) rewind(ctx context.Context, s Session, up storage.Upload) error {
	if s.State == nil {
		return up.Cancel(ctx)
	}
	_, err := up.Suspend(ctx)
	return err
}

// drop ends a session for good.
func (r *Registry) drop(ctx context.Context, s Session, up storage.Upload) error {
	ctx = context.WithoutCancel(ctx)
	return errors.Join(up.Cancel(ctx), r.meta.DeleteSession(ctx, s.ID))
}

// ReadError is a failure to read what the client sends, as opposed to one of
// storing it: the client's connection, not this server, is to blame.
type ReadError struct{ Err error }

func (e *ReadError) Error() string { return "read from client: " + e.Err.Error() }
func (e *ReadError) Unwrap() error { return e.Err }

// receive copies a chunk into the upload. SIZE_INVALID if it is not as long
// as it said, or 413 if the blob grows too large.
func (r *Registry) receive(up storage.Upload, c Chunk) error {
	if c.Body == nil {
		return nil
	}
	in := &counted{r: c.Body, left: math.MaxInt64, full: oci.ErrTooLarge}
	if r.opts.MaxBlob > 0 {
		in.left = max(r.opts.MaxBlob-up.Size(), 0)
	}
	if c.Length >= 0 && c.Length <= in.left {
		in.left, in.full = c.Length, oci.ErrSizeInvalid
	}
	n, err := io.Copy(up, in)
	switch {
	case in.err != nil:
		return in.err
	case errors.Is(err, storage.ErrNoSpace):
		return fmt.Errorf("%w: %w", oci.ErrStorageFull, err)
	case err != nil:
		return fmt.Errorf("store upload: %w", err)
	case c.Length >= 0 && n != c.Length:
		return oci.ErrSizeInvalid
	}
	return nil
}

// counted reads at most left bytes and fails with full if there are more. It
// remembers that a failure was the reader's.
type counted struct {
	r    io.Reader
	left int64
	full *oci.Error
	err  error
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if int64(n) > c.left {
		c.err = c.full
		return int(c.left), c.err
	}
	c.left -= int64(n)
	if err != nil && err != io.EOF {
		c.err = &ReadError{err}
		return n, c.err
	}
	return n, err
}
