package server_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/server"
)

// TestReaderFrom sends a file through the whole router into a response writer
// that is an io.ReaderFrom: it must arrive there as a file, not as bytes.
func TestReaderFrom(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	const size = 5 << 19 // more than one step of sending
	d := s.blob("alice/app", strings.Repeat("x", size))
	for _, test := range []struct {
		requested string
		sent      int64
	}{{"", size}, {"bytes=0-99999", 100_000}, {"bytes=5-", size - 5}, {"bytes=-16385", 16385}} {
		w := &fileWriter{ResponseRecorder: httptest.NewRecorder()}
		req := s.request(row{do: "GET " + at + d, with: header{"Range": test.requested}})
		s.handler.ServeHTTP(w, req)
		if w.files == 0 || w.other != 0 || w.sent != test.sent || w.Body.Len() != 0 {
			t.Errorf("%q: %d of %d bytes, %d times a file, %d times not, %d written", test.requested, w.sent, test.sent, w.files, w.other, w.Body.Len())
		}
	}
}

// TestSmall sees what is small leave by one write, so that header and body
// share a packet.
func TestSmall(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	content := strings.Repeat("0123456789abcdef", 1<<10)
	d := s.blob("alice/app", content)
	for _, test := range []struct{ requested, want string }{
		{"", content}, {"bytes=0-9", content[:10]}, {"bytes=-1", "f"}, {"bytes=16-31", content[16:32]},
	} {
		w := &oneWriter{fileWriter: fileWriter{ResponseRecorder: httptest.NewRecorder()}}
		s.handler.ServeHTTP(w, s.request(row{do: "GET " + at + d, with: header{"Range": test.requested}}))
		if w.writes != 1 || w.files+w.other != 0 || w.Body.String() != test.want {
			t.Errorf("%q: %d writes, %d times ReadFrom, %d bytes", test.requested, w.writes, w.files+w.other, w.Body.Len())
		}
	}
}

// oneWriter counts its writes too.
type oneWriter struct {
	fileWriter
	writes int
}

func (w *oneWriter) Write(p []byte) (int, error) {
	w.writes++
	return w.ResponseRecorder.Write(p)
}

// fileWriter counts what it is handed as a file.
type fileWriter struct {
	*httptest.ResponseRecorder
	files int // times that it was a file
	other int // times that it was not
	sent  int64
}

func (w *fileWriter) ReadFrom(r io.Reader) (int64, error) {
	if isFile(r) {
		w.files++
	} else {
		w.other++
	}
	n, err := io.Copy(io.Discard, r)
	w.sent += n
	return n, err
}

// isFile reports whether r is what net.TCPConn sends with sendfile: exactly a
// file, limited or not.
func isFile(r io.Reader) bool {
	if l, ok := r.(*io.LimitedReader); ok {
		r = l.R
	}
	_, ok := r.(*os.File)
	return ok
}

// TestSendfileConn sees the file arrive at the TCP connection of a plain
// HTTP/1.1 answer.
func TestSendfileConn(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	s := newStack(t, settings{listen: func(h http.Handler) *httptest.Server {
		hs := httptest.NewUnstartedServer(h)
		server.Timeouts(hs.Config)
		hs.Listener = &fileListener{hs.Listener, &sent}
		hs.Start()
		return hs
	}})
	content := strings.Repeat("x", 5<<19)
	s.table([]row{{do: "GET " + at + s.blob("alice/app", content), status: 200, text: content}})
	if got := sent.Load(); got < 5<<19-512 { // net/http may sniff the first 512 bytes
		t.Errorf("%d bytes of 2.5 MiB arrived at the connection as a file", got)
	}
}

type fileListener struct {
	net.Listener
	sent *atomic.Int64
}

func (l *fileListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &fileConn{c.(*net.TCPConn), l.sent}, nil
}

type fileConn struct {
	*net.TCPConn
	sent *atomic.Int64
}

func (c *fileConn) ReadFrom(r io.Reader) (int64, error) {
	file := isFile(r)
	n, err := c.TCPConn.ReadFrom(r)
	if file {
		c.sent.Add(n)
	}
	return n, err
}

// TestSendfile counts the system call itself, in a process of its own. It runs
// beside no other test: a process that is being made holds the locks of their
// stores for a moment.
func TestSendfile(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("needs strace on Linux")
	}
	if exec.CommandContext(t.Context(), strace, "-e", "trace=none", "true").Run() != nil {
		t.Skip("strace may not trace here")
	}
	log := filepath.Join(t.TempDir(), "log")
	child := exec.CommandContext(t.Context(), strace, "-f", "-o", log, "-e", "trace=sendfile", os.Args[0], "-test.run=^TestSendfileChild$", "-test.count=1")
	child.Env = append(os.Environ(), "BERTH_SENDFILE_CHILD=1")
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	calls, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(calls), "sendfile("); n == 0 {
		t.Errorf("no sendfile:\n%s", calls)
	}
}

func TestSendfileChild(t *testing.T) {
	if os.Getenv("BERTH_SENDFILE_CHILD") == "" {
		t.Skip("is run by TestSendfile")
	}
	s := newStack(t, settings{})
	content := strings.Repeat("x", 1<<20)
	d := s.blob("alice/app", content)
	if string(oci.FromBytes(oci.SHA256, []byte(content))) != d {
		t.Fatal(d)
	}
	s.table([]row{{do: "GET " + at + d, status: 200, text: content}})
}
