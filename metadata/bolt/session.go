package bolt

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/berth-registry/berth/metadata"
)

// sessions are in memory, and each change is appended to a log that no
// request syncs: a push changes its session with every chunk, and to make and
// remove a file each time cost a quarter of the CPU of a small push on ext4.
type sessions struct {
	mu    sync.Mutex // one change at a time
	open  map[string]metadata.Session
	count map[string]int // by principal
	log   *sessionLog
	gone  bool // closed
}

// openSessions reads the log at path and makes it if there is none.
func openSessions(path string) (*sessions, error) {
	ss := &sessions{open: map[string]metadata.Session{}, count: map[string]int{}}
	var err error
	ss.log, err = openSessionLog(path, ss.replay)
	return ss, err
}

// replay is given every record of the log, the oldest first.
func (ss *sessions) replay(s metadata.Session) {
	ss.forget(s.ID)
	if s.Version > 0 && validID(s.ID) {
		ss.remember(s)
	}
}

// validID reports whether id is one by the contract.
func validID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return len(id) >= 1 && len(id) <= 64
}

func (ss *sessions) get(id string) (metadata.Session, error) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s, known := ss.open[id]
	switch {
	case ss.gone:
		return metadata.Session{}, errClosed
	case !known:
		return metadata.Session{}, fs.ErrNotExist
	}
	s.State = slices.Clone(s.State)
	return s, ss.log.at.still()
}

// put is a compare and swap on the version.
func (ss *sessions) put(s metadata.Session) error {
	if !validID(s.ID) {
		return fs.ErrNotExist
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	switch {
	case ss.gone:
		return errClosed
	case s.Version != ss.open[s.ID].Version+1:
		return metadata.ErrConflict
	}
	if err := ss.log.append(s); err != nil {
		err, _ = diskError(err)
		return err
	}
	s.State = slices.Clone(s.State)
	ss.forget(s.ID)
	ss.remember(s)
	ss.tidy()
	return nil
}

func (ss *sessions) remember(s metadata.Session) {
	ss.open[s.ID] = s
	ss.count[s.Principal]++
}

func (ss *sessions) forget(id string) {
	s, known := ss.open[id]
	if !known {
		return
	}
	delete(ss.open, id)
	if ss.count[s.Principal]--; ss.count[s.Principal] == 0 {
		delete(ss.count, s.Principal)
	}
}

// remove ends a session. If a full disk has no room to say so, the session comes
// back with the next start and expires.
func (ss *sessions) remove(id string) error {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.gone {
		return errClosed
	}
	s, known := ss.open[id]
	if !known {
		return fs.ErrNotExist
	}
	if err := ss.log.at.still(); err != nil {
		return err
	}
	ss.forget(id)
	_ = ss.log.append(metadata.Session{ID: id, Principal: s.Principal}) // version 0: the end
	ss.tidy()
	return nil
}

// check reports whether a session could be stored.
func (ss *sessions) check() error {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	return ss.log.check()
}

// tidy keeps the log in proportion to what is open. Where there is no room for
// another one, it grows on.
func (ss *sessions) tidy() {
	if ss.log.large(len(ss.open)) {
		_ = ss.log.rewrite(maps.Values(ss.open))
	}
}

func (ss *sessions) ids() ([]string, error) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.gone {
		return nil, errClosed
	}
	return slices.Collect(maps.Keys(ss.open)), nil
}

func (ss *sessions) close() error {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.gone = true
	return ss.log.close()
}

// Session implements metadata.Sessions.
func (s *Store) Session(ctx context.Context, id string) (metadata.Session, error) {
	if err := ctx.Err(); err != nil {
		return metadata.Session{}, err
	}
	return s.sessions.get(id)
}

// PutSession implements metadata.Sessions.
func (s *Store) PutSession(ctx context.Context, session metadata.Session) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.sessions.put(session)
}

// DeleteSession implements metadata.Sessions.
func (s *Store) DeleteSession(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.sessions.remove(id)
}

// Sessions implements metadata.Sessions.
func (s *Store) Sessions(ctx context.Context) iter.Seq2[metadata.Session, error] {
	return func(yield func(metadata.Session, error) bool) {
		ids, err := s.sessions.ids()
		if err = errors.Join(ctx.Err(), err); err != nil {
			yield(metadata.Session{}, err)
			return
		}
		for _, id := range ids {
			session, err := s.Session(ctx, id)
			if errors.Is(err, fs.ErrNotExist) {
				continue // ended meanwhile
			}
			if !yield(session, err) || err != nil {
				return
			}
		}
	}
}

// CountSessions implements metadata.Sessions.
func (s *Store) CountSessions(ctx context.Context, principal string) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	if s.sessions.gone {
		return 0, errClosed
	}
	return s.sessions.count[principal], nil
}
