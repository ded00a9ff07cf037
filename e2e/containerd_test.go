package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// containerdConfig keeps one namespace's content from another's: each is a store of its own. Images are unpacked by
// copying, so that nothing stays mounted. %[2]s is what the transfer service, where there is one, unpacks.
const containerdConfig = `
version = 2
root = "%[1]s/root"
state = "%[1]s/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"]
[grpc]
  address = "%[1]s/c.sock"
[plugins."io.containerd.metadata.v1.bolt"]
  content_sharing_policy = "isolated"
[[plugins."io.containerd.transfer.v1.local".unpack_config]]
  platform = "linux/%[2]s"
  snapshotter = "native"
`

// hostsFile is what an administrator writes for a registry without TLS.
const hostsFile = `
server = "http://%[1]s"
[host."http://%[1]s"]
  capabilities = ["pull", "resolve", "push"]
`

// containerd is a daemon of our own with the ctr of the same version.
type containerd struct{ ctr program }

// startContainerd starts the daemon of dir, which is "" for Debian's; the end of the test stops it.
func startContainerd(t *testing.T, dir string) containerd {
	t.Helper()
	needRoot(t)
	require(t, "runc")
	daemon, ctr := require(t, filepath.Join(dir, "containerd")), require(t, filepath.Join(dir, "ctr"))
	home := workDir(t)
	file, log, socket := filepath.Join(home, "config.toml"), filepath.Join(home, "containerd.log"), filepath.Join(home, "c.sock")
	must(t, os.WriteFile(file, fmt.Appendf(nil, containerdConfig, home, runtime.GOARCH), 0o600))
	path := filepath.Dir(daemon.path) + ":" + os.Getenv("PATH") + ":/usr/sbin:/sbin" // its shim, and runc
	proc, err := startProcess(daemon.with("--config", file).setenv("PATH="+path), log)
	must(t, err)
	t.Cleanup(func() {
		if err := errors.Join(proc.stop(30*time.Second), unmountBelow(home)); err != nil {
			t.Error(err)
		}
		keep(t, log)
	})
	ctr = ctr.with("--address", socket)
	until(t, 30*time.Second, "ctr version", func() bool {
		if proc.ended() {
			t.Fatalf("containerd ended with %v\n%s", proc.err, tail(log))
		}
		_, err := os.Stat(socket)
		return err == nil && ctr.exec(t, "version").code == 0
	})
	return containerd{ctr}
}

// containerdSession is a namespace. ctr has no login: credentials are an argument of each call.
type containerdSession struct {
	ctr   program
	flags []string
	pulls []string // flags of pull alone
}

func TestClientContainerd1(t *testing.T) { containerd1Client(t).walk(t) }

func TestClientContainerd2(t *testing.T) { containerd2Client(t).walk(t) }

func containerd1Client(t *testing.T) client {
	d := startContainerd(t, "")
	return d.client("containerd 1", printedVersion(t, require(t, "containerd")))
}

func containerd2Client(t *testing.T) client {
	d := startContainerd(t, "containerd2")
	return d.client("containerd 2", moduleVersion(t, require(t, "containerd2/containerd")))
}

func (d containerd) client(name, version string) client {
	return client{name: name, version: version, credentials: "`--user` of each call", token: "POST", open: d.open}
}

func (d containerd) open(t *testing.T, s *server) session {
	hosts := workDir(t)
	must(t, os.Mkdir(filepath.Join(hosts, s.addr), 0o755))
	must(t, os.WriteFile(filepath.Join(hosts, s.addr, "hosts.toml"), fmt.Appendf(nil, hostsFile, s.addr), 0o644))
	return &containerdSession{ctr: d.ctr.with("--namespace", filepath.Base(hosts)), flags: []string{"--hosts-dir", hosts}}
}

func (c *containerdSession) login(_ *testing.T, u user) result {
	c.shows("--user", u.name+":"+u.password)
	return result{}
}

func (c *containerdSession) adopt(_ *testing.T, _ user, identity string) {
	c.shows("--refresh", identity)
}

// shows replaces the credentials of later calls.
func (c *containerdSession) shows(flag, value string) {
	c.flags = append(c.flags[:2:2], flag, value)
}

func (c *containerdSession) prepare(t *testing.T, ref string) (text string) {
	img := newRunnable(t)
	file := filepath.Join(workDir(t), "image.tar")
	require(t, "tar").in(writeLayout(t, img.manifest, img)).run(t, "-cf", file, "oci-layout", "index.json", "blobs")
	c.ctr.run(t, "images", "import", "--snapshotter", "native", "--base-name", "imported", file)
	c.ctr.run(t, "images", "tag", "imported:e2e", ref)
	return img.text
}

func (c *containerdSession) push(t *testing.T, ref string) result {
	return c.ctr.with("images", "push").with(c.flags...).exec(t, ref)
}

func (c *containerdSession) pull(t *testing.T, ref string) result {
	return c.ctr.with("images", "pull", "--snapshotter", "native").with(c.pulls...).with(c.flags...).exec(t, ref)
}

func (c *containerdSession) look(t *testing.T, ref string) (digest, text string) {
	for line := range strings.Lines(c.ctr.run(t, "images", "list")) {
		if cells := strings.Fields(line); cells[0] == ref {
			digest = cells[2]
		}
	}
	text = c.ctr.run(t, "run", "--rm", "--snapshotter", "native", ref, "e2e")
	return digest, text
}
