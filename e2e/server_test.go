package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const adminPassword = "admin-of-the-tests"

// config is everything the tests set; the rest stays at its default. The pull limit is off because the conformance suite
// alone makes more pulls than a user has in six hours.
const config = `
http:
  addr: %[1]q
  admin_socket: %[2]s/admin/admin.sock
log: {format: json, audit: %[3]q}
storage:
  driver: filesystem
  filesystem: {root: %[2]s}
metadata:
  driver: bolt
  bolt: {path: %[2]s/berth.db}
auth:
  key: %[2]s/token.key
  grants:
    - {who: [authenticated], repositories: ["${user}/**"], actions: [pull, push, delete]}
    - {who: [anonymous, authenticated], repositories: ["public/**"], actions: [pull]}
ratelimit: {anonymous: 0, authenticated: 0}
registry:
  sparse: ["conformance/**"]
`

// server is the berth under test, with its own empty data directory.
type server struct {
	addr   string // 127.0.0.1:port
	berth  program
	config string   // file
	env    []string // what the file does not say: BERTH_HTTP_URL=…
	scheme string
	client *http.Client
	proc   *process
	probes int // sentinel requests sent so far

	provoked int // the one status of 500 or above that is no failure of the server
}

// startServer returns a ready server that the end of the test stops and judges. Variables set more than the file does.
func startServer(t *testing.T, env ...string) *server {
	t.Helper()
	s := newServer(t, "")
	s.env = env
	s.start(t)
	return s
}

// newServer is a startServer that has not started, with more keys of auth in its configuration.
func newServer(t *testing.T, more string) *server {
	t.Helper()
	dir := workDir(t)
	s := &server{addr: freeAddr(t), berth: berthBinary(t), config: filepath.Join(dir, "config.yaml"), scheme: "http", client: http.DefaultClient}
	text := strings.Replace(fmt.Sprintf(config, s.addr, filepath.Join(dir, "data"), s.audit()), "\nauth:\n", "\nauth:\n"+more, 1)
	must(t, os.WriteFile(s.config, []byte(text), 0o600))
	t.Cleanup(func() { s.end(t) })
	return s
}

// start starts the server, also again after stop or kill, and returns when it is ready.
func (s *server) start(t *testing.T) {
	t.Helper()
	dir := filepath.Dir(s.config)
	serve := s.berth.with("serve", "--config", s.config).setenv(append(s.env, "BERTH_ADMIN_PASSWORD="+adminPassword)...).in(dir)
	proc, err := startProcess(serve, filepath.Join(dir, "berth.log"))
	must(t, err)
	s.proc = proc
	until(t, 30*time.Second, "GET /readyz", func() bool {
		if s.proc.ended() {
			t.Fatalf("berth serve ended with %v\n%s", s.proc.err, tail(s.proc.log))
		}
		return s.ready()
	})
}

func (s *server) ready() bool {
	resp, err := s.client.Get(s.scheme + "://" + s.addr + "/readyz")
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// stop demands an orderly end within 30 s.
func (s *server) stop(t *testing.T) {
	t.Helper()
	if err := s.proc.stop(30 * time.Second); err != nil {
		t.Error(err)
	}
}

// kill ends the server as a crash does.
func (s *server) kill(t *testing.T) {
	t.Helper()
	must(t, s.proc.cmd.Process.Kill())
	<-s.proc.done
}

// end stops the server and fails the test for what a server must never log.
func (s *server) end(t *testing.T) {
	t.Helper()
	if s.proc == nil {
		return
	}
	s.stop(t)
	for _, r := range s.requests(t, 0) {
		if r.Status >= 500 && r.Status != s.provoked {
			t.Errorf("the server failed: %v", r)
		}
	}
	log, err := os.ReadFile(s.proc.log)
	must(t, err)
	lacks(t, "log of berth", string(log), "panic")
	lacks(t, "log of berth", string(log), "DATA RACE")
	keep(t, s.proc.log)
}

// addUser creates a user whose password is its name with "-password" appended, by berth's own command.
func (s *server) addUser(t *testing.T, name string) user {
	t.Helper()
	u := user{name, name + "-password"}
	s.berth.input(u.password+"\n").run(t, "user", "add", name, "--password-stdin", "--config", s.config)
	return u
}

// user is whoever a client logs in as.
type user struct{ name, password string }

var admin = user{"admin", adminPassword}

// ref names a repository or image on the server: ref("alice/app:1") is 127.0.0.1:port/alice/app:1.
func (s *server) ref(name string) string { return s.addr + "/" + name }

var buildBerth = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(scratch, "berth")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-o", bin, "./cmd/berth")
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build ./cmd/berth: %w\n%s", err, out)
	}
	return bin, nil
})

// berthBinary is $BERTH_BIN or is built once per run.
func berthBinary(t *testing.T) program {
	t.Helper()
	if bin := os.Getenv("BERTH_BIN"); bin != "" {
		return program{path: bin}
	}
	bin, err := buildBerth()
	must(t, err)
	return program{path: bin}
}

// freeAddr returns a loopback address nobody listened on a moment ago.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// tail returns the last lines of a log.
func tail(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	lines := strings.SplitAfter(string(data), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "")
}
