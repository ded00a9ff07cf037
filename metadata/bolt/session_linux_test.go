package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
)

// A log that cannot be written anew goes on as it was, and what there is of the
// next one gives its space back.
func TestSessionLogOnFullDisk(t *testing.T) {
	const full = "/dev/full" // takes no byte: ENOSPC
	s := openNew(t)
	putSession(t, s, "kept", 2)
	busy := testSession("busy", 0)
	busy.State = make([]byte, maxRecord/2)
	put := func() (grown int64) {
		t.Helper()
		before := s.sessions.log.size
		busy.Version++
		ok(t, s.PutSession(ctx, busy))
		return s.sessions.log.size - before
	}
	next := s.at.path + ".sessions.new"
	for failed := 0; failed < 3; {
		if err := os.Symlink(full, next); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
		if put() < maxRecord/2 {
			t.Fatalf("the log was written anew, on %s", full)
		}
		if _, err := os.Lstat(next); errors.Is(err, fs.ErrNotExist) {
			failed++
		}
		if s.sessions.log.size > 2*smallLog {
			t.Fatalf("%d attempts to write the log anew, or they left something", failed)
		}
	}
	want := fmt.Sprintf("map[busy:%d kept:2]", busy.Version)
	if got := fmt.Sprint(versions(t, s.at.path)); got != want || s.sessions.log.size < smallLog {
		t.Errorf("found %v in a log of %d bytes, want %s", got, s.sessions.log.size, want)
	}
	if put() >= 0 {
		t.Error("with space the log was not written anew")
	}
	want = fmt.Sprintf("map[busy:%d kept:2]", busy.Version)
	if got := fmt.Sprint(versions(t, s.at.path)); got != want {
		t.Errorf("found %v, want %s", got, want)
	}
}
