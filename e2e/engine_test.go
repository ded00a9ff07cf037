package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// engine is a Docker engine of our own: its data, sockets and configuration lie below scratch, nothing of a system
// engine is touched, and it has no network but the machine's loopback.
type engine struct {
	host string
	proc *process
}

var sharedEngine struct {
	sync.Once
	engine
	err error
}

// dockerEngine returns the engine of this run, started by the first test that asks.
func dockerEngine(t *testing.T) engine {
	t.Helper()
	require(t, "docker")
	dockerd := require(t, "dockerd")
	if os.Getuid() != 0 {
		skip(t, "dockerd needs root")
	}
	sharedEngine.Do(func() { sharedEngine.engine, sharedEngine.err = startEngine(dockerd) })
	must(t, sharedEngine.err)
	t.Cleanup(func() { keep(t, sharedEngine.proc.log) })
	e := sharedEngine.engine
	until(t, 60*time.Second, "docker version", func() bool {
		if e.proc.ended() {
			t.Fatalf("dockerd ended with %v\n%s", e.proc.err, tail(e.proc.log))
		}
		_, err := os.Stat(filepath.Join(scratch, "engine", "docker.sock"))
		return err == nil && e.docker(t).exec(t, "version").code == 0
	})
	return e
}

func startEngine(dockerd program) (engine, error) {
	dir := filepath.Join(scratch, "engine")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return engine{}, err
	}
	file := filepath.Join(dir, "daemon.json")
	if err := os.WriteFile(file, []byte(`{"insecure-registries": ["127.0.0.0/8"]}`), 0o600); err != nil {
		return engine{}, err
	}
	host := "unix://" + filepath.Join(dir, "docker.sock")
	proc, err := startProcess(dockerd.with("--host", host, "--config-file", file,
		"--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"),
		"--pidfile", filepath.Join(dir, "docker.pid"), "--bridge", "none", "--iptables=false", "--ip6tables=false",
	).setenv("PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin"), filepath.Join(dir, "dockerd.log"))
	if err != nil {
		return engine{}, err
	}
	finally(func() error {
		if err := proc.stop(60 * time.Second); err != nil {
			return errors.Join(err, errors.New(tail(proc.log)), unmountBelow(dir))
		}
		return unmountBelow(dir)
	})
	return engine{host, proc}, nil
}

// unmountBelow undoes what an engine leaves mounted: the network namespace of the machine, once a container used it.
func unmountBelow(dir string) error {
	table, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	var errs []error
	for line := range strings.Lines(string(table)) {
		if point := strings.Fields(line)[1]; strings.HasPrefix(point, dir+"/") {
			errs = append(errs, syscall.Unmount(point, syscall.MNT_DETACH))
		}
	}
	return errors.Join(errs...)
}

// docker returns a client of the engine that is logged in nowhere.
func (e engine) docker(t *testing.T) program {
	t.Helper()
	return require(t, "docker").setenv("DOCKER_HOST="+e.host, "DOCKER_CONFIG="+workDir(t), "DOCKER_BUILDKIT=0")
}

// login returns a client of the engine that is logged in as u.
func (e engine) login(t *testing.T, s *server, u user) program {
	t.Helper()
	docker := e.docker(t)
	out := docker.input(u.password).run(t, "login", s.addr, "-u", u.name, "--password-stdin")
	contains(t, "docker login", out, "Login Succeeded")
	return docker
}
