package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berth-registry/berth/config"
)

// instance is a berth that serves in this process, from the command line on.
type instance struct {
	dir, addr, file string
	stop            context.CancelFunc
	ended           chan error
}

const settings = `
http: {addr: %q, admin_socket: %q%s}
log: {level: error}
storage: {filesystem: {root: %q}}
metadata: {bolt: {path: %q}}
auth: {key: %q, grants: [{who: [%s], repositories: ["public/**"], actions: [pull]}]}
`

// write writes the configuration: who may pull public/**, and more of http.
func (i *instance) write(t *testing.T, who, more string) {
	t.Helper()
	text := fmt.Sprintf(settings, i.addr, filepath.Join(i.dir, "admin/s"), more, i.dir, filepath.Join(i.dir, "berth.db"), filepath.Join(i.dir, "token.key"), who)
	if err := os.WriteFile(i.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func newInstance(t *testing.T) *instance {
	t.Helper()
	dir, err := os.MkdirTemp("", "berth") // short: a socket's path has 103 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return &instance{dir: dir, addr: l.Addr().String(), file: filepath.Join(dir, "config.yaml")}
}

// fetch gets a URL.
func fetch(t *testing.T, client *http.Client, url string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return client.Do(req)
}

// start serves and returns when the readiness probe says so.
func (i *instance) start(t *testing.T, scheme string, client *http.Client) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	i.stop, i.ended = stop, make(chan error, 1)
	go func() {
		cmd := root()
		cmd.SetArgs([]string{"serve", "--config", i.file})
		i.ended <- cmd.ExecuteContext(ctx)
	}()
	deadline := time.Now().Add(20 * time.Second)
	for {
		resp, err := fetch(t, client, scheme+"://"+i.addr+"/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case err := <-i.ended:
			t.Fatalf("serve ended: %v", err)
		case <-time.After(10 * time.Millisecond): // polling, bounded by the deadline
		}
		if time.Now().After(deadline) {
			t.Fatalf("not ready: %v", err)
		}
	}
}

// end stops the instance and waits for it.
func (i *instance) end(t *testing.T) {
	t.Helper()
	i.stop()
	if err := <-i.ended; err != nil {
		t.Errorf("serve: %v", err)
	}
}

// run runs another command against the instance.
func (i *instance) run(stdin string, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := root()
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(append(args, "--config", i.file))
	err := cmd.Execute()
	return out.String(), err
}

// login asks for a token and returns the status.
func (i *instance) login(t *testing.T, name, password string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+i.addr+"/token", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(name, password)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestUsersOfARunningServer(t *testing.T) {
	i := newInstance(t)
	i.write(t, "anonymous", "")
	i.start(t, "http", http.DefaultClient)

	first, err := os.ReadFile(filepath.Join(i.dir, "initial-admin-password"))
	if err != nil {
		t.Fatal(err)
	}
	if got := i.login(t, "admin", strings.TrimSpace(string(first))); got != http.StatusOK {
		t.Errorf("admin with the first password: %d", got)
	}
	steps := []struct {
		stdin, args, out, err string
	}{
		{"correct-horse\n", "user add alice --password-stdin --group ci", "", ""},
		{"correct-horse\n", "user add alice --password-stdin", "", "exists already"},
		{"x\n", "user add bob --password-stdin", "", "invalid"},
		{"correct-horse\n", "user add anonymous --password-stdin", "", "reserved"},
		{"", "user list", "alice", ""},
		{"", "user list -o json", `"groups": [`, ""},
		{"", "user list -o xml", "", "table or json"},
		{"battery-staple\n", "user password alice --password-stdin", "", ""},
		{"battery-staple\n", "user password nobody --password-stdin", "", "no such user"},
		{"changed-password\n", "user password admin --password-stdin", "", ""},
		{"", "user remove admin", "", "last administrator"},
		{"", "check-config", "is good", ""},
	}
	for _, s := range steps {
		out, err := i.run(s.stdin, strings.Fields(s.args)...)
		if (err == nil) != (s.err == "") || err != nil && !strings.Contains(err.Error(), s.err) || !strings.Contains(out, s.out) {
			t.Errorf("berth %s: %v\n%s", s.args, err, out)
		}
	}
	if got := i.login(t, "alice", "correct-horse"); got != http.StatusUnauthorized {
		t.Errorf("alice with the old password: %d", got)
	}
	if got := i.login(t, "alice", "battery-staple"); got != http.StatusOK {
		t.Errorf("alice with the new password: %d", got)
	}
	if _, err := os.Stat(filepath.Join(i.dir, "initial-admin-password")); err == nil {
		t.Error("the first password is still kept")
	}
	if _, err := i.run("", "user", "remove", "alice"); err != nil {
		t.Error(err)
	}
	i.end(t)
	if _, err := i.run("", "user", "list"); err == nil || !strings.Contains(err.Error(), "no server listens") {
		t.Errorf("without a server: %v", err)
	}
	i.start(t, "http", http.DefaultClient) // again, on what the first one left
	if got := i.login(t, "admin", "changed-password"); got != http.StatusOK {
		t.Errorf("admin after a restart: %d", got)
	}
	i.end(t)
}

func TestSecondProcessIsRefused(t *testing.T) {
	i := newInstance(t)
	i.write(t, "anonymous", "")
	i.start(t, "http", http.DefaultClient)
	defer i.end(t)
	other := *i
	other.addr, other.file = "127.0.0.1:0", filepath.Join(i.dir, "other.yaml")
	other.write(t, "anonymous", "")
	out, err := other.run("", "serve")
	if err == nil || !strings.Contains(err.Error(), "another") {
		t.Errorf("a second process on the same data: %v\n%s", err, out)
	}
}

func TestReload(t *testing.T) {
	i := newInstance(t)
	i.write(t, "authenticated", "")
	i.start(t, "http", http.DefaultClient)
	defer i.end(t)
	i.mayPull(t, false)
	i.write(t, "anonymous", "")
	hangUp(t)
	i.mayPull(t, true)
}

// TestReloadOfABadFile changes nothing at all: what is right about the new
// configuration does not count while something is wrong.
func TestReloadOfABadFile(t *testing.T) {
	i := newInstance(t)
	i.write(t, "authenticated", "")
	log, level := new(bytes.Buffer), new(slog.LevelVar)
	logger := slog.New(slog.NewTextHandler(log, nil))
	r, c := i.wired(t, logger)
	before := r.policy.Load()
	next := c
	next.Log.Level = "debug"
	next.Auth.Users = []config.User{{Name: "docker.io", Bcrypt: "$2a$10$abcdefghijklmnopqrstuuVbrYMnKFRpPFp4jdHXFlm3dYRJE7yaW"}}
	for name, read := range map[string]func() (config.Config, error){
		"unreadable":            func() (config.Config, error) { return config.Config{}, errors.New("unreadable") },
		"a user that cannot be": func() (config.Config, error) { return next, nil },
	} {
		log.Reset()
		r.reload(read, level, logger)
		if !strings.Contains(log.String(), "the old one stays") || r.policy.Load() != before || level.Level() != slog.LevelInfo {
			t.Errorf("%s: level %v, %s", name, level.Level(), log.String())
		}
	}
	next = c
	next.HTTP.Addr = "127.0.0.1:1"
	log.Reset()
	r.reload(func() (config.Config, error) { return next, nil }, level, logger)
	if !strings.Contains(log.String(), "restart") || r.policy.Load() == before {
		t.Errorf("an address that changed: %s", log.String())
	}
}

// mayPull waits until an anonymous token for public/a holds pull, or not.
func (i *instance) mayPull(t *testing.T, want bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		_, body := i.get(t, "/token?scope=repository:public/a:pull", "")
		if strings.Contains(string(body), `"scope":"repository:public/a:pull"`) == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("anonymous pull, want %t: %s", want, body)
		}
	}
}

func hangUp(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

func TestTLSWithReloadAndHTTP2(t *testing.T) {
	i := newInstance(t)
	cert, key := filepath.Join(i.dir, "cert.pem"), filepath.Join(i.dir, "key.pem")
	writeCertificate(t, cert, key, "first")
	i.write(t, "anonymous", fmt.Sprintf(", tls: {cert: %q, key: %q}", cert, key))
	names := make(chan string, 100)
	client := func() *http.Client {
		return &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{
			InsecureSkipVerify: true, // the test looks at the certificate itself
			VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
				c, err := x509.ParseCertificate(raw[0])
				if err == nil {
					names <- c.Subject.CommonName
				}
				return err
			},
		}}}
	}
	i.start(t, "https", client())
	defer i.end(t)
	drainNames(names)
	resp, err := fetch(t, client(), "https://"+i.addr+"/v2/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	realm := resp.Header.Get("WWW-Authenticate")
	if resp.ProtoMajor != 2 || <-names != "first" || !strings.Contains(realm, `realm="https://`+i.addr+`/token"`) {
		t.Errorf("HTTP/%d, challenge %s", resp.ProtoMajor, realm)
	}
	writeCertificate(t, cert, key, "second")
	hangUp(t)
	deadline := time.Now().Add(10 * time.Second)
	for name := ""; name != "second"; {
		resp, err := fetch(t, client(), "https://"+i.addr+"/healthz")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if name = <-names; time.Now().After(deadline) {
			t.Fatalf("still the certificate %q", name)
		}
	}
}

func drainNames(names chan string) {
	for len(names) > 0 {
		<-names
	}
}

func writeCertificate(t *testing.T, cert, key, name string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBadConfiguration(t *testing.T) {
	i := newInstance(t)
	if err := os.WriteFile(i.file, []byte("http:\n  adr: x\ngc: {interval: 1h}\nauth: {token_ttl: 1s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"serve", "check-config"} {
		_, err := i.run("", command)
		for _, want := range []string{"3 problem(s)", ":2:", `did you mean "addr"`, "not built yet", "token_ttl"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s does not say %q: %v", command, want, err)
			}
		}
	}
}
