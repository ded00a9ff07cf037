package durability

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/berth-registry/berth/e2e/internal/berth"
)

// TestDiskFull sweeps the free space from nothing up to enough for every kind
// of write, so that the disk is full at each of the writes that it is made of:
// strace says which they were. Each failed attempt is answered as such, leaves
// nothing to be seen, and passes once there is space.
func TestDiskFull(t *testing.T) {
	t.Run("tmpfs", func(t *testing.T) { newFull(t, "tmpfs", newTmpfs(t), 1).run(t) })
	t.Run("ext4", func(t *testing.T) {
		step := 4 // it is slower, and its own blocks make for more steps
		if long() {
			step = 1
		}
		newFull(t, "ext4", newExt4(t), step).run(t)
	})
}

// full is a registry on a disk that fills up.
type full struct {
	*registry
	name     string
	disk     disk
	step     int // of a sweep, in pages or inodes
	strace   *tracer
	seen     int            // of its calls
	hits     map[string]int // by the call that failed
	refused  int            // attempts
	restarts int            // uploads that had to begin again
	serial   uint64
	returns  string // a session that was cancelled without a record of it
}

func newFull(t *testing.T, name string, d disk, step int) *full {
	t.Helper()
	f := &full{registry: newRegistry(t, d.dir()+"/data"), name: name, disk: d, step: step, hits: map[string]int{}}
	f.strace = trace(t, f.Pid(), "-Z", "-e", "trace="+changing) // -Z: those that fail
	return f
}

func (f *full) run(t *testing.T) {
	for _, w := range fullWrites {
		t.Run(strings.ReplaceAll(w.name, " ", "_"), func(t *testing.T) {
			f.sweep(t, w, w.hits, func(n int) { f.disk.leave(t, n, plenty) })
			if _, names := f.disk.(tmpfs); names && w.names != nil {
				f.sweep(t, w, w.names, func(n int) { f.disk.leave(t, plenty, n) })
			}
		})
	}
	t.Run("cancel", f.cancel)
	t.Run("restart", f.restart)
	f.Judge(t)
	var list []string
	for _, name := range slices.Sorted(maps.Keys(f.hits)) {
		list = append(list, fmt.Sprintf("%s %d", name, f.hits[name]))
	}
	fmt.Printf("disk full (%s): %d attempts refused, %d reads meanwhile, uploads begun again %d; ENOSPC at %s\n",
		f.name, f.refused, f.reads, f.restarts, strings.Join(list, ", "))
}

// fullWrite is a kind of write. Its steps get new content each time.
type fullWrite struct {
	name    string
	hits    []string // the system calls that a disk without blocks must fail
	names   []string // those that a disk without inodes must fail; nil: it makes no names
	records bool     // it changes a session, and there is no room for that in the last block of the log
	files   int      // of uploads that may be there after a failure
	prepare func(*attempt)
	act     func(*attempt) berth.Answer // one request
	status  int                         // of its success
	absent  func(*attempt)              // after a failure
	present func(*attempt)              // after a success
}

// attempt is one round of a sweep.
type attempt struct {
	*full
	*testing.T
	body     []byte // a blob
	doc, old []byte // manifests
	name     string // of a tag or user
	location string // of a session
}

// sweep makes attempts with more and more space until one passes at once.
func (f *full) sweep(t *testing.T, w fullWrite, want []string, leave func(n int)) {
	hits := map[string]int{}
	for n := 0; ; n += f.step {
		f.serial++
		a := &attempt{full: f, T: t, body: content(bodyPages(t)*os.Getpagesize(), f.serial<<8), name: fmt.Sprint("n", f.serial)}
		f.disk.leave(t, plenty, plenty)
		w.prepare(a)
		hollow(t, f.DB)
		var filled []string
		if w.records {
			filled = f.brim(t)
		}
		leave(n)
		var answer berth.Answer
		f.reading(t, func() { answer = w.act(a) })
		passed := answer.Status == w.status
		if !passed {
			f.failed(a, w, answer, n == 0)
		}
		for name, times := range f.newHits(t) {
			hits[name] += times
		}
		f.disk.leave(t, plenty, plenty)
		f.cancelAll(t, filled)
		f.checks(t, "ok", "ok")
		if !passed {
			f.again(a, w)
		}
		w.present(a)
		f.noMoreThan(t, 0)
		if passed || t.Failed() {
			break
		}
	}
	if len(hits) == 0 {
		t.Error("the disk was never full")
	}
	for _, name := range want {
		if hits[name] == 0 && f.step == 1 && !t.Failed() {
			t.Errorf("the disk was never full at %q, only at %v", name, hits)
		}
	}
}

// failed judges an attempt while the disk is still full.
func (f *full) failed(a *attempt, w fullWrite, answer berth.Answer, nothing bool) {
	f.refused++
	diskFull.check(a.T, w.name, answer)
	w.absent(a)
	f.noMoreThan(a.T, w.files)
	f.readable(a.T, false)
	if nothing {
		f.checks(a.T, "failed", "failed")
	}
}

// noMoreThan wants only so many files of uploads to be left; that of a copy of
// a manifest goes by itself.
func (f *full) noMoreThan(t *testing.T, files int) {
	t.Helper()
	until(t, fmt.Sprintf("no more than %d files of uploads are left", files), func() bool { return len(f.receiving(t)) <= files })
}

// again makes the same attempt, now that there is space. An upload whose bytes
// had been stored already begins again, as its client does.
func (f *full) again(a *attempt, w fullWrite) {
	answer := w.act(a)
	if answer.Status == 404 && strings.Contains(string(answer.Body), "BLOB_UPLOAD_UNKNOWN") {
		f.restarts++
		w.prepare(a)
		answer = w.act(a)
	}
	if answer.Status != w.status {
		a.Errorf("%s with space: %d, want %d: %s\n%s", w.name, answer.Status, w.status, answer.Body, f.Logs())
	}
}

// newHits counts the calls that failed for want of space since the last time.
func (f *full) newHits(t *testing.T) map[string]int {
	calls := f.strace.calls(layoutOf(f.Server))
	n := map[string]int{}
	for _, c := range calls[f.seen:] {
		if c.failed == "ENOSPC" {
			n[c.label]++
			f.hits[c.label]++
		}
	}
	f.seen = len(calls)
	return n
}

// brim is that of the registry, and fills the log further, up to where not even
// the end of a session has room, whose record is the shortest. It returns the
// sessions that are still open.
func (f *full) brim(t *testing.T) (opened []string) {
	t.Helper()
	spare := []string{f.session(t, nil), f.session(t, nil)}
	opened = append(f.registry.brim(t, f.disk), spare...)
	f.newHits(t)
	for n := range opened {
		f.cancelAll(t, opened[n:n+1])
		if f.newHits(t)["pwrite <sessions>"] > 0 {
			return opened[n+1:]
		}
	}
	t.Fatal("the end of each session fits into the log")
	return nil
}

// cancel ends uploads when there is no space. That needs none, not even to
// record it: a session that has no bytes gives none back, and returns at the
// next start.
func (f *full) cancel(t *testing.T) {
	location := f.session(t, f.layer)
	f.returns = f.session(t, nil)
	hollow(t, f.DB)
	f.brim(t)
	f.checks(t, "failed", "failed")
	f.cancelAll(t, []string{f.returns})
	if hits := f.newHits(t); hits["pwrite <sessions>"] != 1 {
		t.Errorf("the disk was full at %v, want the end of a session", hits)
	}
	f.cancelAll(t, []string{location})
	f.noMoreThan(t, 0)
	f.disk.leave(t, plenty, plenty)
}

// restart starts the server on the full disk: it reads, refuses, and heals.
func (f *full) restart(t *testing.T) {
	hollow(t, f.DB)
	f.disk.leave(t, 0, plenty)
	f.strace.stop()
	f.Stop(t)
	if !f.Launch(t) {
		t.Fatalf("serve ended on a full disk:\n%s", f.Logs())
	}
	f.Login(t, scopes...)
	f.c = f.Client()
	f.checks(t, "failed", "failed")
	f.readable(t, false)
	f.want(t, 204, "GET", f.returns, "", nil)
	push := func() berth.Answer {
		return f.do(t, "POST", blobs(repo, "uploads/?digest="+berth.Digest(f.config)), octets, f.config)
	}
	diskFull.check(t, "after a restart", push())
	f.disk.leave(t, plenty, plenty)
	f.checks(t, "ok", "ok")
	if a := push(); a.Status != 201 {
		t.Errorf("with space: %d: %s", a.Status, a.Body)
	}
	f.cancelAll(t, []string{f.returns})
	f.Stop(t)
}
