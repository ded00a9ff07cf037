package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"slices"
	"testing"

	"github.com/berth-registry/berth/metadata"
)

// sealed replaces the end of b with a checksum that fits.
func sealed(b []byte) []byte {
	body := slices.Clone(b[:len(b)-4])
	return binary.BigEndian.AppendUint32(body, crc32.Checksum(body, castagnoli))
}

func testSession(id string, version int64) metadata.Session {
	return metadata.Session{ID: id, Principal: "alice", Version: version, State: []byte("state")}
}

func putSession(t *testing.T, s *Store, id string, versions int64) {
	t.Helper()
	for v := int64(1); v <= versions; v++ {
		ok(t, s.PutSession(ctx, testSession(id, v)))
	}
}

// versions are those of the sessions that a process finds which starts now.
func versions(t *testing.T, path string) map[string]int64 {
	t.Helper()
	ss, err := openSessions(path + ".sessions")
	ok(t, err)
	defer func() { ok(t, ss.close()) }()
	found := map[string]int64{}
	for id, s := range ss.open {
		found[id] = s.Version
	}
	if n := ss.count["alice"]; n != len(found) {
		t.Errorf("%d sessions are counted of %d", n, len(found))
	}
	return found
}

func TestSessionsSurvive(t *testing.T) {
	s := openNew(t)
	putSession(t, s, "one", 3)
	putSession(t, s, "two", 1)
	putSession(t, s, "three", 2)
	info, err := os.Stat(s.at.path + ".sessions")
	ok(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	ok(t, s.DeleteSession(ctx, "two"))
	ok(t, s.LinkBlob(ctx, "a", testBlob("x"), "three"))
	putSession(t, s, "two", 1) // an id again, as a new session
	for range 2 {
		if got := fmt.Sprint(versions(t, s.at.path)); got != "map[one:3 two:1]" {
			t.Errorf("found %v", got)
		}
	}
}

// A log that was cut has the changes before the cut. One in which a bit was
// flipped ends before that record.
func TestSessionLogTorn(t *testing.T) {
	s := openNew(t)
	putSession(t, s, "s", 3)
	log := s.at.path + ".sessions"
	whole, err := os.ReadFile(log)
	ok(t, err)
	record := len(whole) / 3
	for n := range len(whole) {
		flipped := slices.Clone(whole)
		flipped[n] ^= 0x10
		for _, torn := range [][]byte{whole[:n], flipped} {
			ok(t, os.WriteFile(log, torn, 0o600))
			if got := versions(t, s.at.path)["s"]; got != int64(n/record) {
				t.Fatalf("at %d of records of %d: version %d", n, record, got)
			}
			left, err := os.ReadFile(log)
			ok(t, err)
			if len(left) != n/record*record {
				t.Fatalf("at %d: %d bytes are left", n, len(left))
			}
		}
	}
}

// What cannot be written is not answered, and the next record takes its place.
func TestSessionLogFails(t *testing.T) {
	s := openNew(t)
	putSession(t, s, "s", 1)
	whole := s.sessions.log.file
	readOnly, err := os.Open(whole.Name())
	ok(t, err)
	s.sessions.log.file = readOnly
	if err := s.PutSession(ctx, testSession("s", 2)); err == nil {
		t.Error("a session was stored in a file that takes no writes")
	}
	got, err := s.Session(ctx, "s")
	ok(t, err)
	if got.Version != 1 {
		t.Errorf("version %d", got.Version)
	}
	ok(t, readOnly.Close())
	s.sessions.log.file = whole
	_, err = whole.WriteAt([]byte("half a record"), s.sessions.log.size)
	ok(t, err)
	putSession2(t, s, "s", 2)
	if got := versions(t, s.at.path)["s"]; got != 2 {
		t.Errorf("version %d was found", got)
	}
}

// The log stays in proportion to what is open, however much has changed.
func TestSessionLogIsRewritten(t *testing.T) {
	s := openNew(t)
	putSession(t, s, "kept", 2)
	largest, rewritten := int64(0), 0
	for i := 0; rewritten < 3; i++ {
		before := s.sessions.log.size
		id := fmt.Sprint("s", i)
		putSession(t, s, id, 2)
		ok(t, s.DeleteSession(ctx, id))
		if s.sessions.log.size < before {
			rewritten++
		}
		largest = max(largest, s.sessions.log.size)
	}
	if largest > smallLog+2*perSession+maxRecord {
		t.Errorf("the log had %d bytes", largest)
	}
	putSession2(t, s, "kept", 3)
	if got := fmt.Sprint(versions(t, s.at.path)); got != "map[kept:3]" {
		t.Errorf("found %v", got)
	}
}

func TestSessionTooLarge(t *testing.T) {
	s := openNew(t)
	large := testSession("s", 1)
	large.State = make([]byte, maxRecord)
	if err := s.PutSession(ctx, large); err == nil {
		t.Error("a session was stored that could not be read")
	}
	if _, err := s.Session(ctx, "s"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
}

func putSession2(t *testing.T, s *Store, id string, version int64) {
	t.Helper()
	ok(t, s.PutSession(ctx, testSession(id, version)))
}
