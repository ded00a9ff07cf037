package durability

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// changing are the system calls that change files, and those that speak to
// clients. Those with a question mark are not on every architecture.
const changing = "read,write,?open,openat,pwrite64,pwritev,ftruncate,fallocate,?rename,?renameat,renameat2,?link,linkat," +
	"?unlink,unlinkat,?mkdir,mkdirat,?rmdir,fsync,fdatasync,sync,syncfs,sync_file_range,msync"

// tracer is a strace that is attached to a process.
type tracer struct {
	t    *testing.T
	cmd  *exec.Cmd
	file string
}

// trace attaches strace with options to a process and returns when it has all
// of its threads.
func trace(t *testing.T, pid int, options ...string) *tracer {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		skip(t, "strace is not installed")
	}
	dir := t.TempDir()
	said, err := os.Create(filepath.Join(dir, "said"))
	must(t, err)
	defer said.Close()
	tr := &tracer{t: t, file: filepath.Join(dir, "trace")}
	tr.cmd = exec.Command(strace, append([]string{"-f", "-y", "-s", "256", "-e", "signal=none", "-o", tr.file, "-p", fmt.Sprint(pid)}, options...)...)
	tr.cmd.Stderr = said
	tr.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGINT}
	must(t, tr.cmd.Start())
	t.Cleanup(tr.stop)
	until(t, "strace attached", func() bool {
		text := read(t, said.Name())
		if strings.Contains(text, "not permitted") {
			skip(t, "strace may not trace here: "+text)
		}
		return strings.Contains(text, "attached")
	})
	return tr
}

// stop lets go of the process. Stopping again does nothing.
func (tr *tracer) stop() {
	tr.t.Helper()
	if tr.cmd.ProcessState != nil {
		return
	}
	must(tr.t, tr.cmd.Process.Signal(syscall.SIGINT))
	_ = tr.cmd.Wait() // it ends as the signal wants
}

// calls parses what was seen so far.
func (tr *tracer) calls(at layout) []call {
	tr.t.Helper()
	return parseTrace(read(tr.t, tr.file), at)
}

// request is a request in a trace, with what happened until the next one.
type request struct {
	line  string // PUT /v2/...
	calls []call
}

// cut cuts a trace of one request after the other.
func cut(calls []call) (requests []request) {
	for i, c := range calls {
		line, ok := strings.CutPrefix(c.label, "request ")
		if !ok {
			continue
		}
		r := request{line: line}
		for _, next := range calls[i+1:] {
			if strings.HasPrefix(next.label, "request ") {
				break
			}
			r.calls = append(r.calls, next)
		}
		requests = append(requests, r)
	}
	return requests
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return string(b)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until waits for what another process will do.
func until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	if !waits(happened) {
		t.Fatalf("%s: not within %v", what, patience)
	}
}

const patience = 10 * time.Second

// waits reports whether it happened.
func waits(happened func() bool) bool {
	for deadline := time.Now().Add(patience); !happened(); {
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(2 * time.Millisecond) // between two looks, bounded above
	}
	return true
}

// skip ends a test that cannot run here, which BERTH_REQUIRE does not accept.
func skip(t *testing.T, why string) {
	t.Helper()
	if demanded := os.Getenv("BERTH_REQUIRE"); demanded != "" {
		t.Fatalf("cannot run, and BERTH_REQUIRE=%s: %s", demanded, why)
	}
	t.Skip(why)
}
