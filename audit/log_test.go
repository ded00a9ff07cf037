package audit

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// trail is a Log on a file.
type trail struct {
	*testing.T
	*Log
	path string
	told *bytes.Buffer // what the process's log was told
}

func openTrail(t *testing.T, path string) *trail {
	t.Helper()
	told := new(bytes.Buffer)
	l, err := Open(Options{Path: path, Log: slog.New(slog.NewTextHandler(told, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return &trail{t, l, path, told}
}

func (l *trail) push(detail string) {
	l.Record(Entry{Time: start, Action: Push, Outcome: OK, Detail: detail})
}

// holds compares the details of the lines of a file.
func (l *trail) holds(path string, want ...string) {
	l.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		l.Fatal(err)
	}
	var lines string
	for _, d := range want {
		lines += `{"time":"2026-11-23T12:00:00Z","principal":"","action":"push","outcome":"ok","detail":"` + d + "\"}\n"
	}
	if string(text) != lines {
		l.Errorf("%s holds\n%swant\n%s", path, text, lines)
	}
}

// TestFile: a line is in the file when Record returns, which nobody else reads.
func TestFile(t *testing.T) {
	l := openTrail(t, filepath.Join(t.TempDir(), "log/berth/audit.log"))
	l.push("first")
	l.holds(l.path, "first")
	l.push("second")
	l.holds(l.path, "first", "second")
	info, err := os.Stat(l.path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if got := details(l.Find(Filter{}, 10)); got != "second first" {
		t.Errorf("remembered: %s", got)
	}
	if s := l.Stats(); s != (Stats{Written: 2}) {
		t.Errorf("%+v", s)
	}
}

// TestFileStays: what a process before wrote stays, and so does the mode that
// the administrator gave the file.
func TestFileStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	first := openTrail(t, path)
	first.push("first")
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	second := openTrail(t, path)
	second.push("second")
	first.push("third") // both at a time
	first.holds(path, "first", "second", "third")
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if got := details(second.Find(Filter{}, 10)); got != "second" {
		t.Errorf("remembered: %s", got)
	}
}

// TestReopen is what logrotate does: rename, then SIGHUP.
func TestReopen(t *testing.T) {
	l := openTrail(t, filepath.Join(t.TempDir(), "audit.log"))
	old := l.path + ".1"
	l.push("first")
	if err := os.Rename(l.path, old); err != nil {
		t.Fatal(err)
	}
	l.push("second")
	if err := l.Reopen(); err != nil {
		t.Fatal(err)
	}
	l.push("third")
	l.holds(old, "first", "second")
	l.holds(l.path, "third")

	if err := os.Rename(l.path, old); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(l.path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err == nil {
		t.Errorf("a directory in its place: %v", err)
	}
	l.push("fourth")
	l.holds(old, "third", "fourth")
}

func TestReopenNothing(t *testing.T) {
	l := openTrail(t, "")
	l.push("first")
	if err := l.Reopen(); err != nil {
		t.Error(err)
	}
	if got := details(l.Find(Filter{}, 10)); got != "first" || l.Stats() != (Stats{}) {
		t.Errorf("%s, %+v", got, l.Stats())
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, pipe, filepath.Join(pipe, "audit.log")} {
		if l, err := Open(Options{Path: path, Log: slog.New(slog.DiscardHandler)}); err == nil {
			t.Errorf("%s is opened: %v", path, l.Close())
		}
	}
}

// TestStdout is "-".
func TestStdout(t *testing.T) {
	var out bytes.Buffer
	l, err := Open(Options{Path: "-", Stdout: &out, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	l.Record(Entry{Time: start, Action: Login, Outcome: OK})
	if err := errors.Join(l.Reopen(), l.Close()); err != nil || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%v, %q", err, out.String())
	}
	l.Record(Entry{Time: start, Action: Login, Outcome: OK, Detail: "late"})
	if s := l.Stats(); s != (Stats{Written: 1, Dropped: 1}) || details(l.Find(Filter{}, 1)) != "late" {
		t.Errorf("after the end: %+v", s)
	}
}

// TestManyAtATime: lines of two processes and many requests do not mix.
func TestManyAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	logs := []*trail{openTrail(t, path), openTrail(t, path)}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			for n := range 50 {
				logs[i%2].push(fmt.Sprint(strings.Repeat("x", 10*i), " ", i, "-", n))
			}
		})
	}
	all.Wait()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, `{"time":"2026`) || !strings.HasSuffix(line, "\"}\n") || seen[line] {
			t.Errorf("line %q", line)
		}
		seen[line] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d lines", len(seen))
	}
}

// TestFullDisk: what cannot be written is counted and said once a minute, and
// nobody fails for it.
func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	l := openTrail(t, "/dev/full")
	for i := range 120 {
		l.Record(Entry{Time: start.Add(time.Duration(i) * time.Second), Action: Push, Outcome: OK})
	}
	if s := l.Stats(); s != (Stats{Failed: 120}) || len(l.Find(Filter{}, 1000)) != 120 {
		t.Errorf("%+v", s)
	}
	if n := strings.Count(l.told.String(), "cannot be written"); n != 2 || !strings.Contains(l.told.String(), "no space left") {
		t.Errorf("said %d times: %s", n, l.told)
	}
}

// half breaks off within a line when it is told to.
type half struct {
	bytes.Buffer
	breaks bool
}

func (h *half) Write(p []byte) (int, error) {
	if h.breaks {
		n, _ := h.Buffer.Write(p[:len(p)/2])
		return n, errors.New("full")
	}
	return h.Buffer.Write(p)
}

func (h *half) Close() error { return nil }

// TestTorn: a line that broke off takes no other with it.
func TestTorn(t *testing.T) {
	h := new(half)
	f := &file{f: h}
	for i, breaks := range []bool{false, true, true, false, false} {
		h.breaks = breaks
		if err := f.append(fmt.Appendf(nil, "line-%d-abcdef\n", i)); (err != nil) != breaks {
			t.Error(err)
		}
	}
	if want := "line-0-abcdef\nline-1-\nline-2\nline-3-abcdef\nline-4-abcdef\n"; h.String() != want {
		t.Errorf("%q, want %q", h.String(), want)
	}
}

// stuck is a disk that takes nothing until it is let go.
type stuck struct {
	free  chan struct{}
	lines []string
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.free
	s.lines = append(s.lines, string(p))
	return len(p), nil
}

// TestHangingDisk: who records waits for a second, then goes on; the lines
// follow when the disk lets them.
func TestHangingDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := new(bytes.Buffer)
		disk := &stuck{free: make(chan struct{})}
		l, err := Open(Options{Path: "-", Stdout: disk, Log: slog.New(slog.NewTextHandler(told, nil))})
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		for i := range 3 {
			l.Record(Entry{Time: time.Now(), Action: Push, Outcome: OK, Detail: fmt.Sprint(i)})
		}
		if took := time.Since(begin); took != 3*time.Second || l.Stats() != (Stats{Late: 3}) {
			t.Errorf("took %v, %+v", took, l.Stats())
		}
		for range maxQueue + 100 { // all at once: 2 wait already, one is being written
			go l.Record(Entry{Time: time.Now(), Action: Push, Outcome: OK})
		}
		synctest.Wait()
		if s := l.Stats(); s.Dropped != 102 {
			t.Errorf("%+v", s)
		}
		if n := strings.Count(told.String(), "are dropped"); n != 1 {
			t.Errorf("said %d times: %s", n, told)
		}
		time.Sleep(patience) // of the bubble's clock
		close(disk.free)
		synctest.Wait()
		if s := l.Stats(); s.Written != maxQueue+1 || s.Dropped != 102 || s.Failed != 0 {
			t.Errorf("%+v", s)
		}
		for i := range 3 {
			if !strings.Contains(disk.lines[i], fmt.Sprintf(`"detail":"%d"`, i)) {
				t.Errorf("line %d is %s", i, disk.lines[i])
			}
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestHangingDiskAtTheEnd: the process ends all the same.
func TestHangingDiskAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &stuck{free: make(chan struct{})}
		l, err := Open(Options{Path: "-", Stdout: disk, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		l.Record(Entry{Time: time.Now(), Action: Push, Outcome: OK})
		begin := time.Now()
		if err := l.Close(); !errors.Is(err, errHangs) || time.Since(begin) != lastMoments {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		close(disk.free)
	})
}

// TestClose: what waits is written before the process ends.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &stuck{free: make(chan struct{})}
		l, err := Open(Options{Path: "-", Stdout: disk, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			go l.Record(Entry{Time: time.Now(), Action: Push, Outcome: OK})
		}
		synctest.Wait()
		var closed error
		go func() { closed = l.Close() }()
		synctest.Wait()
		close(disk.free)
		synctest.Wait()
		if closed != nil || len(disk.lines) != 10 {
			t.Errorf("%v, %d lines", closed, len(disk.lines))
		}
	})
}

// TestSuppressed: refusals have a rate; what was done has none.
func TestSuppressed(t *testing.T) {
	l := openTrail(t, filepath.Join(t.TempDir(), "audit.log"))
	refuse := func(at time.Time) { l.Record(Entry{Time: at, Action: Login, Outcome: Denied}) }
	for range 5000 {
		refuse(start)
		l.push("done")
	}
	if s := l.Stats(); s != (Stats{Written: 6000, Suppressed: 4000}) {
		t.Errorf("%+v", s)
	}
	refuse(start.Add(refusalEvery - 1))
	refuse(start.Add(refusalEvery))
	if e := l.Find(Filter{Outcome: Denied}, 1)[0]; e.Suppressed != 4001 {
		t.Errorf("%+v", e)
	}
	refuse(start.Add(2 * refusalEvery))
	if e := l.Find(Filter{Outcome: Denied}, 1)[0]; e.Suppressed != 0 {
		t.Errorf("%+v", e)
	}
}

func BenchmarkRecord(b *testing.B) {
	for _, path := range []string{"", filepath.Join(b.TempDir(), "audit.log")} {
		b.Run(map[bool]string{true: "memory", false: "file"}[path == ""], func(b *testing.B) {
			l, err := Open(Options{Path: path, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = l.Close() }()
			e := Entry{Time: start, Principal: "user:alice", Action: Push, Request: "manifest.put", Repository: "alice/app", Reference: "v1", Outcome: OK}
			b.ReportAllocs()
			for b.Loop() {
				l.Record(e)
			}
		})
	}
}
