package bolt

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/berth-registry/berth/metadata"
)

// sessions are files of a directory, <id>, whole or absent: written under
// another name and renamed, never synced. After a power cut one may be torn:
// its checksum tells, and it counts as absent.
type sessions struct {
	dir string

	mu    sync.Mutex // one change at a time: between looking at a version and the rename
	open  map[string]sessionEntry
	count map[string]int // by principal
	gone  bool           // closed
}

// sessionEntry is what is kept in memory of a session.
type sessionEntry struct {
	version   int64
	principal string
}

// partSuffix ends the name of a file that is being written; no id has a dot.
const partSuffix = ".part"

// openSessions reads all sessions, to count them, and removes what is torn.
func openSessions(dir string) (*sessions, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	ss := &sessions{dir: dir, open: map[string]sessionEntry{}, count: map[string]int{}}
	for _, file := range files {
		id := file.Name()
		s, err := ss.read(id)
		switch {
		case err == nil:
			ss.remember(s)
		case strings.HasSuffix(id, partSuffix), validID(id) && errors.Is(err, errRecord):
			if err := os.Remove(ss.path(id)); err != nil {
				return nil, err
			}
		case validID(id):
			return nil, err
		} // a file of another name is none of ours
	}
	return ss, nil
}

// validID reports whether id can be the name of a file of its own.
func validID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return len(id) >= 1 && len(id) <= 64
}

func (ss *sessions) path(id string) string { return filepath.Join(ss.dir, id) }

func (ss *sessions) read(id string) (metadata.Session, error) {
	if !validID(id) {
		return metadata.Session{}, fs.ErrNotExist
	}
	b, err := os.ReadFile(ss.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return metadata.Session{}, fs.ErrNotExist
	}
	if err != nil {
		return metadata.Session{}, err
	}
	return decodeSession(b, id)
}

// get is read for a session that is known. Torn files are dealt with at Open;
// one that is damaged later is as good as gone.
func (ss *sessions) get(id string) (metadata.Session, error) {
	ss.mu.Lock()
	_, known := ss.open[id]
	gone := ss.gone
	ss.mu.Unlock()
	switch {
	case gone:
		return metadata.Session{}, errClosed
	case !known:
		return metadata.Session{}, fs.ErrNotExist
	}
	s, err := ss.read(id)
	if errors.Is(err, errRecord) {
		err = fs.ErrNotExist
	}
	return s, err
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
	case s.Version != ss.open[s.ID].version+1:
		return metadata.ErrConflict
	}
	part := ss.path(s.ID) + partSuffix
	err := os.WriteFile(part, encodeSession(s), 0o600)
	if err == nil {
		err = os.Rename(part, ss.path(s.ID))
	}
	if err != nil {
		_ = os.Remove(part) // Open does, too
		return spaceError(err)
	}
	ss.remember(s)
	return nil
}

func (ss *sessions) remember(s metadata.Session) {
	ss.forget(s.ID)
	ss.open[s.ID] = sessionEntry{version: s.Version, principal: s.Principal}
	ss.count[s.Principal]++
}

func (ss *sessions) forget(id string) {
	e, known := ss.open[id]
	if !known {
		return
	}
	delete(ss.open, id)
	if ss.count[e.principal]--; ss.count[e.principal] == 0 {
		delete(ss.count, e.principal)
	}
}

func (ss *sessions) remove(id string) error {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.gone {
		return errClosed
	}
	if _, known := ss.open[id]; !known {
		return fs.ErrNotExist
	}
	if err := os.Remove(ss.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	ss.forget(id)
	return nil
}

func (ss *sessions) ids() []string {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ids := make([]string, 0, len(ss.open))
	for id := range ss.open {
		ids = append(ids, id)
	}
	return ids
}

func (ss *sessions) close() {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.gone = true
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
		for _, id := range s.sessions.ids() {
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
