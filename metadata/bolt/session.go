package bolt

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/berth-registry/berth/metadata"
)

// sessions are files of a directory, <id>.<version>, never synced. A change
// writes the file of the next version and then removes the last one, so that
// at any moment one of them is whole; a checksum tells which. (A rename over
// the last version would do, too, but ext4 sends the data of a file to the
// disk when it replaces another: that is four times as slow.)
type sessions struct {
	dir string

	mu    sync.Mutex // one change at a time
	open  map[string]sessionEntry
	count map[string]int // by principal
	gone  bool           // closed
}

// sessionEntry is what is kept in memory of a session.
type sessionEntry struct {
	version   int64 // 0: no such session
	principal string
}

// openSessions reads all sessions, to count them, and removes what is torn or
// was replaced.
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
		id, version, ours := parseName(file.Name())
		if !ours {
			continue
		}
		old := ss.open[id].version
		s, err := ss.read(id, version)
		switch {
		case err != nil && !errors.Is(err, errRecord):
			return nil, err
		case err != nil || version < old:
			err = os.Remove(ss.path(id, version))
		case old > 0:
			err = os.Remove(ss.path(id, old))
			fallthrough
		default:
			ss.remember(s)
		}
		if err != nil {
			return nil, err
		}
	}
	return ss, nil
}

func (ss *sessions) path(id string, version int64) string {
	return filepath.Join(ss.dir, id+"."+strconv.FormatInt(version, 10))
}

func parseName(name string) (id string, version int64, ok bool) {
	id, number, _ := strings.Cut(name, ".")
	version, err := strconv.ParseInt(number, 10, 64)
	return id, version, err == nil && version > 0 && validID(id)
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

func (ss *sessions) read(id string, version int64) (metadata.Session, error) {
	b, err := os.ReadFile(ss.path(id, version))
	if err != nil {
		return metadata.Session{}, err
	}
	s, err := decodeSession(b)
	if err == nil && (s.ID != id || s.Version != version) {
		err = errRecord
	}
	return s, err
}

// get reads the newest version. One that is replaced between the look and the
// read is looked for again; one that was damaged since Open is as good as gone.
func (ss *sessions) get(id string) (metadata.Session, error) {
	for last := int64(0); ; {
		version, err := ss.version(id)
		if err != nil {
			return metadata.Session{}, err
		}
		s, err := ss.read(id, version)
		if errors.Is(err, fs.ErrNotExist) && version != last {
			last = version
			continue
		}
		if err != nil && (errors.Is(err, errRecord) || errors.Is(err, fs.ErrNotExist)) {
			return metadata.Session{}, fs.ErrNotExist
		}
		return s, err
	}
}

// version is the newest one. fs.ErrNotExist if there is no such session.
func (ss *sessions) version(id string) (int64, error) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	e, known := ss.open[id]
	switch {
	case ss.gone:
		return 0, errClosed
	case !known:
		return 0, fs.ErrNotExist
	}
	return e.version, nil
}

// put is a compare and swap on the version.
func (ss *sessions) put(s metadata.Session) error {
	if !validID(s.ID) {
		return fs.ErrNotExist
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	old := ss.open[s.ID].version
	switch {
	case ss.gone:
		return errClosed
	case s.Version != old+1:
		return metadata.ErrConflict
	}
	path := ss.path(s.ID, s.Version)
	if err := os.WriteFile(path, encodeSession(s), 0o600); err != nil {
		_ = os.Remove(path) // it has no checksum: Open removes it, too
		return spaceError(err)
	}
	if old > 0 {
		_ = os.Remove(ss.path(s.ID, old)) // Open prefers the newer one
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
	e, known := ss.open[id]
	if !known {
		return fs.ErrNotExist
	}
	if err := os.Remove(ss.path(id, e.version)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	ss.forget(id)
	return nil
}

func (ss *sessions) ids() ([]string, error) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.gone {
		return nil, errClosed
	}
	ids := make([]string, 0, len(ss.open))
	for id := range ss.open {
		ids = append(ids, id)
	}
	return ids, nil
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
