package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// emptyIdle is how long a session without a byte is kept: it holds nothing
// that its client could miss, but it counts.
const emptyIdle = 15 * time.Minute

// Expire drops the sessions that nobody has touched for Options.SessionIdle
// and what dead uploads left in storage. It is called at start and from time
// to time.
func (r *Registry) Expire(ctx context.Context) (dropped int, err error) {
	now := r.opts.Now()
	before := now.Add(-r.opts.SessionIdle)
	empty := now.Add(-min(r.opts.SessionIdle, emptyIdle))
	stale := func(s Session) bool {
		return s.Updated.Before(before) || s.State == nil && s.Updated.Before(empty)
	}
	var live []storage.State
	var idle []Session
	for s, err := range r.meta.Sessions(ctx) {
		switch {
		case err != nil:
			return 0, fmt.Errorf("list upload sessions: %w", err)
		case stale(s):
			idle = append(idle, s)
		case s.State != nil:
			live = append(live, s.State)
		}
	}
	var errs []error
	for _, s := range idle {
		err := r.expire(ctx, s, stale)
		switch {
		case err == nil:
			dropped++
			continue
		case errors.Is(err, oci.ErrUploadUnknown), errors.Is(err, fs.ErrNotExist):
			continue
		case !errors.Is(err, oci.ErrUploadBusy):
			errs = append(errs, err)
		}
		if s.State != nil {
			live = append(live, s.State)
		}
	}
	if sweeper, ok := r.store.(storage.Sweeper); ok {
		n, err := sweeper.Sweep(ctx, live, before)
		dropped += n
		errs = append(errs, err)
	}
	return dropped, errors.Join(errs...)
}

// expire drops a session unless its client has gone on with it meanwhile:
// then it is as good as busy.
func (r *Registry) expire(ctx context.Context, s Session, stale func(Session) bool) error {
	s, up, release, err := r.resume(ctx, SessionID{Repo: s.Repo, Principal: s.Principal, ID: s.ID}, Chunk{Start: -1, Length: -1})
	if err != nil {
		return err
	}
	defer release()
	if !stale(s) {
		return errors.Join(oci.ErrUploadBusy, r.rewind(ctx, s, up))
	}
	return r.drop(ctx, s, up)
}
