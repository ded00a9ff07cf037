package berth

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
	"syscall"
	"testing"
	"time"
)

// Password is that of the user admin.
const Password = "password-of-the-tests"

const settings = `
http: {addr: %q, admin_socket: %q}
log: {level: warn}
storage: {filesystem: {root: %q}}
metadata: {bolt: {path: %q}}
ratelimit: {authenticated: unlimited}
auth: {key: %q, token_ttl: 1h}
`

// limit bounds every wait for the server.
const limit = 30 * time.Second

// Server is a berth whose data outlives its processes. Root, DB and Key are
// read at each start.
type Server struct {
	Bin, Dir      string // Dir holds the configuration, the log and, at first, the data
	Addr          string
	Root, DB, Key string // of the configuration: the data
	Token         string // of the last Login
	cmd           *exec.Cmd
	done          chan error // of cmd
	log           *os.File
}

// New returns a server that has not been started. The test's end kills it.
func New(t *testing.T) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "berth-") // short: sockets are below
	must(t, err)
	s := &Server{Bin: binary(t, dir), Dir: dir, Addr: freeAddr(t), Root: dir, DB: dir + "/berth.db", Key: dir + "/token.key"}
	s.log, err = os.Create(filepath.Join(dir, "log"))
	must(t, err)
	t.Cleanup(func() {
		if s.cmd != nil {
			s.Kill(t)
		}
		s.log.Close()
		os.RemoveAll(dir)
	})
	return s
}

// Beside returns another server with the same settings on another address.
func (s *Server) Beside(t *testing.T) *Server {
	t.Helper()
	other := New(t)
	other.Root, other.DB, other.Key = s.Root, s.DB, s.Key
	return other
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
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

// Command returns berth with arguments and the configuration as it is now.
func (s *Server) Command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	file := filepath.Join(s.Dir, "config.yaml")
	must(t, os.WriteFile(file, fmt.Appendf(nil, settings, s.Addr, s.Dir+"/admin/s", s.Root, s.DB, s.Key), 0o600))
	cmd := exec.CommandContext(context.Background(), s.Bin, append(args, "--config", file)...)
	cmd.Dir = s.Dir
	cmd.Env = append(os.Environ(), "BERTH_ADMIN_PASSWORD="+Password)
	for i, v := range cmd.Env { // an unknown BERTH_ variable is an error
		if strings.HasPrefix(v, "BERTH_") && !strings.HasPrefix(v, "BERTH_ADMIN_") {
			cmd.Env[i] = "_=_"
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test run that dies takes it along
	return cmd
}

// Start starts the server and returns when it is ready.
func (s *Server) Start(t *testing.T) {
	t.Helper()
	if !s.launch(t, func(status int) bool { return status == http.StatusOK }) {
		t.Fatalf("serve ended:\n%s", s.Logs())
	}
}

// Launch starts the server and returns when it answers, ready or not, or has
// ended.
func (s *Server) Launch(t *testing.T) (up bool) {
	t.Helper()
	return s.launch(t, func(status int) bool { return status != 0 })
}

func (s *Server) launch(t *testing.T, is func(status int) bool) (up bool) {
	t.Helper()
	s.cmd = s.Command(t, "serve")
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	must(t, s.cmd.Start())
	cmd, done := s.cmd, make(chan error, 1)
	s.done = done
	go func() { done <- cmd.Wait() }()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); {
		if status, _ := s.Ready(); is(status) {
			return true
		}
		select {
		case <-s.done:
			s.cmd = nil
			return false
		case <-time.After(2 * time.Millisecond): // between two looks, bounded above
		}
	}
	t.Fatalf("not up within %v\n%s", limit, s.Logs())
	return false
}

// Refused runs serve, which must end by itself with the code 1, and returns
// what it said.
func (s *Server) Refused(t *testing.T) string {
	t.Helper()
	return Refused(t, s.Command(t, "serve"))
}

// Refused runs a command that must end by itself with the code 1 and nothing
// on standard output, and returns what it said.
func Refused(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	must(t, cmd.Start())
	stop := time.AfterFunc(limit, func() { cmd.Process.Kill() })
	err := cmd.Wait()
	if !stop.Stop() || err == nil || cmd.ProcessState.ExitCode() != 1 || out.Len() > 0 {
		t.Fatalf("%v: %v, want the exit code 1\n%s%s", cmd.Args[1:], err, &out, &said)
	}
	return said.String()
}

// Ready asks /readyz. The status is 0 if there is no answer.
func (s *Server) Ready() (status int, parts map[string]string) {
	resp, err := http.Get("http://" + s.Addr + "/readyz")
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	if json.NewDecoder(resp.Body).Decode(&parts) != nil {
		return 0, nil
	}
	return resp.StatusCode, parts
}

// Login gets a token for scopes. Its key outlives the process.
func (s *Server) Login(t *testing.T, scopes ...string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr+"/token?"+url.Values{"scope": scopes}.Encode(), nil)
	must(t, err)
	req.SetBasicAuth("admin", Password)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	var answer struct{ Token string }
	must(t, json.NewDecoder(resp.Body).Decode(&answer))
	if answer.Token == "" {
		t.Fatalf("no token: %s", resp.Status)
	}
	s.Token = answer.Token
}

// Pid is that of the running process.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// Kill ends the process as the kernel does, at any instruction.
func (s *Server) Kill(t *testing.T) {
	t.Helper()
	must(t, s.cmd.Process.Kill())
	<-s.done // "signal: killed"
	s.cmd = nil
}

// Stop ends the process as an administrator does: it must end by itself, with
// the code 0.
func (s *Server) Stop(t *testing.T) {
	t.Helper()
	must(t, s.cmd.Process.Signal(syscall.SIGTERM))
	stop := time.AfterFunc(limit, func() { s.cmd.Process.Kill() })
	err := <-s.done
	stop.Stop()
	s.cmd = nil
	if err != nil {
		t.Errorf("serve ended: %v\n%s", err, s.Logs())
	}
}

// Judge fails the test for what a server must never log.
func (s *Server) Judge(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile(s.log.Name())
	must(t, err)
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, "panic") || strings.Contains(line, "damaged") {
			t.Errorf("the log says: %s", line)
		}
	}
}

// Logs returns the end of the log, of all processes so far.
func (s *Server) Logs() string {
	b, err := os.ReadFile(s.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-4096):])
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
