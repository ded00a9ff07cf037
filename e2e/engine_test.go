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
	dir  string
	proc *process
}

func (e engine) socket() string { return filepath.Join(e.dir, "docker.sock") }

var sharedEngine struct {
	sync.Once
	engine
	err error
}

// dockerEngine returns Debian's engine of this run, started by the first test that asks.
func dockerEngine(t *testing.T) engine {
	t.Helper()
	require(t, "docker")
	dockerd := require(t, "dockerd").setenv("PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin")
	needRoot(t)
	sharedEngine.Do(func() { sharedEngine.engine, sharedEngine.err = startEngine("engine", dockerd) })
	must(t, sharedEngine.err)
	return sharedEngine.ready(t)
}

// ready returns the engine once it answers.
func (e engine) ready(t *testing.T) engine {
	t.Helper()
	t.Cleanup(func() { keep(t, e.proc.log) })
	until(t, 60*time.Second, "docker version", func() bool {
		if e.proc.ended() {
			t.Fatalf("dockerd ended with %v\n%s", e.proc.err, tail(e.proc.log))
		}
		_, err := os.Stat(e.socket())
		return err == nil && e.docker(t).exec(t, "version").code == 0
	})
	return e
}

// startEngine starts an engine that the end of the run stops.
func startEngine(name string, dockerd program) (engine, error) {
	e := engine{dir: filepath.Join(scratch, name)}
	if err := os.MkdirAll(e.dir, 0o700); err != nil {
		return e, err
	}
	file := filepath.Join(e.dir, "daemon.json")
	if err := os.WriteFile(file, []byte(`{"insecure-registries": ["127.0.0.0/8"]}`), 0o600); err != nil {
		return e, err
	}
	var err error
	e.proc, err = startProcess(dockerd.with("--host", "unix://"+e.socket(), "--config-file", file,
		"--data-root", filepath.Join(e.dir, "data"), "--exec-root", filepath.Join(e.dir, "exec"),
		"--pidfile", filepath.Join(e.dir, "docker.pid"), "--bridge", "none", "--iptables=false", "--ip6tables=false",
	), filepath.Join(e.dir, "dockerd.log"))
	if err != nil {
		return e, err
	}
	finally(func() error {
		if err := e.proc.stop(60 * time.Second); err != nil {
			return errors.Join(err, errors.New(tail(e.proc.log)), unmountBelow(e.dir))
		}
		return unmountBelow(e.dir)
	})
	return e, nil
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
	return require(t, "docker").setenv("DOCKER_HOST=unix://"+e.socket(), "DOCKER_CONFIG="+workDir(t), "DOCKER_BUILDKIT=0")
}

// login returns a client of the engine that is logged in as u.
func (e engine) login(t *testing.T, s *server, u user) program {
	t.Helper()
	docker := e.docker(t)
	out := docker.input(u.password).run(t, "login", s.addr, "-u", u.name, "--password-stdin")
	contains(t, "docker login", out, "Login Succeeded")
	return docker
}
