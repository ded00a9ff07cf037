package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const password = "crash-test-password"

const settings = `
http: {addr: %[1]q, admin_socket: %[2]s/admin/s}
log: {level: error}
storage: {filesystem: {root: %[2]s}}
metadata: {bolt: {path: %[2]s/berth.db}}
auth: {key: %[2]s/token.key, token_ttl: 1h}
`

// server is a berth that is killed again and again; its data stays.
type server struct {
	bin, dir, addr string
	cmd            *exec.Cmd
	log            *os.File
	token          string
	lastToken      time.Time
}

func newServer(t *testing.T) *server {
	t.Helper()
	dir, err := os.MkdirTemp("", "berth-crash-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := &server{bin: binary(t, dir), dir: dir, addr: l.Addr().String()}
	must(t, l.Close())
	s.log, err = os.Create(filepath.Join(dir, "log"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "config.yaml"), fmt.Appendf(nil, settings, s.addr, dir), 0o600))
	return s
}

// binary is $BERTH_BIN, or built here.
func binary(t *testing.T, dir string) string {
	t.Helper()
	if bin := os.Getenv("BERTH_BIN"); bin != "" {
		return bin
	}
	bin := filepath.Join(dir, "berth")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./cmd/berth")
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// start starts the server and returns when it is ready.
func (s *server) start(t *testing.T) {
	t.Helper()
	s.cmd = exec.CommandContext(context.Background(), s.bin, "serve", "--config", "config.yaml")
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, s.log, s.log
	s.cmd.Env = append(os.Environ(), "BERTH_ADMIN_PASSWORD="+password)
	for i, v := range s.cmd.Env { // an unknown BERTH_ variable is an error
		if strings.HasPrefix(v, "BERTH_") && !strings.HasPrefix(v, "BERTH_ADMIN_") {
			s.cmd.Env[i] = "_=_"
		}
	}
	must(t, s.cmd.Start())
	deadline := time.Now().Add(30 * time.Second)
	for !s.ready() {
		if time.Now().After(deadline) {
			t.Fatalf("not ready:\n%s", s.logs())
		}
		time.Sleep(2 * time.Millisecond) // between two looks, bounded above
	}
	if time.Since(s.lastToken) > 30*time.Minute {
		s.login(t)
	}
}

func (s *server) ready() bool {
	resp, err := http.Get("http://" + s.addr + "/readyz")
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// login gets one token for everything: its key outlives the process.
func (s *server) login(t *testing.T) {
	t.Helper()
	var scopes []string
	for w := range writers {
		scopes = append(scopes, fmt.Sprintf("repository:%s:*", repository(w)))
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.addr+"/token?"+url.Values{"scope": scopes}.Encode(), nil)
	must(t, err)
	req.SetBasicAuth("admin", password)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	var answer struct{ Token string }
	must(t, json.NewDecoder(resp.Body).Decode(&answer))
	if answer.Token == "" {
		t.Fatalf("no token: %s", resp.Status)
	}
	s.token, s.lastToken = answer.Token, time.Now()
}

// kill ends the process as the kernel does, at any instruction.
func (s *server) kill(t *testing.T) {
	t.Helper()
	must(t, s.cmd.Process.Kill())
	_ = s.cmd.Wait() // "signal: killed"
}

// judge fails the test for what a server must never log.
func (s *server) judge(t *testing.T) {
	t.Helper()
	if log := s.logs(); strings.Contains(log, "panic") || strings.Contains(log, "damaged") {
		t.Errorf("the log:\n%s", log)
	}
}

func (s *server) logs() string {
	b, err := os.ReadFile(s.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-8192):])
}

// receiving counts the files of uploads that were under way.
func (s *server) receiving(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.dir, "_uploads"))
	must(t, err)
	return len(entries)
}

// stored reports whether the bytes of a digest have their final name.
func (s *server) stored(digest string) bool {
	hex := strings.TrimPrefix(digest, "sha256:")
	_, err := os.Stat(filepath.Join(s.dir, "docker/registry/v2/blobs/sha256", hex[:2], hex, "data"))
	return err == nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
