package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// buildkitSession is a daemon of its own: it builds and pushes in one, and pulls what a build is made of.
type buildkitSession struct {
	dockerConfig // which buildctl reads
	buildctl     program
	context      string
	out          string // root filesystem of the image pulled
	printed      string // by the last pull
}

func TestClientBuildkit(t *testing.T) {
	needRoot(t)
	require(t, "runc")
	version := printedVersion(t, requireSlow(t, "buildkit/buildkitd"))
	client{name: "buildkit", version: version, credentials: "docker's `config.json`", token: "POST", open: openBuildkit}.walk(t)
}

func openBuildkit(t *testing.T, s *server) session {
	dir := workDir(t)
	buildctl := startBuildkit(t, s.addr).setenv("DOCKER_CONFIG=" + dir)
	return &buildkitSession{dockerConfig: dockerConfig{dir + "/config.json", s.addr}, buildctl: buildctl, out: workDir(t)}
}

// startBuildkit starts a daemon that knows host for a registry without TLS, and returns a client of it.
func startBuildkit(t *testing.T, host string) program {
	t.Helper()
	dir := workDir(t)
	file, log, socket := filepath.Join(dir, "buildkitd.toml"), filepath.Join(dir, "buildkitd.log"), "unix://"+filepath.Join(dir, "b.sock")
	must(t, os.WriteFile(file, fmt.Appendf(nil, "[registry.%q]\n  http = true\n", host), 0o600))
	daemon := requireSlow(t, "buildkit/buildkitd").with("--config", file, "--root", filepath.Join(dir, "root"), "--addr", socket,
		"--containerd-worker=false", "--oci-worker-binary", require(t, "runc").path, "--oci-worker-net", "host", "--oci-worker-snapshotter", "native")
	proc, err := startProcess(daemon, log)
	must(t, err)
	t.Cleanup(func() {
		_ = proc.stop(30 * time.Second) // it ends with 1 even then
		must(t, unmountBelow(dir))
		keep(t, log)
	})
	buildctl := requireSlow(t, "buildkit/buildctl").with("--addr", socket)
	until(t, 30*time.Second, "buildctl debug workers", func() bool {
		if proc.ended() {
			t.Fatalf("buildkitd ended with %v\n%s", proc.err, tail(log))
		}
		return buildctl.exec(t, "debug", "workers").code == 0
	})
	return buildctl
}

func (c *buildkitSession) login(t *testing.T, u user) result {
	c.write(t, dockerAuth{Auth: []byte(u.name + ":" + u.password)})
	return result{}
}

func (c *buildkitSession) prepare(t *testing.T, _ string) (text string) {
	c.context, text = buildContext(t)
	return text
}

func (c *buildkitSession) push(t *testing.T, ref string) result {
	return c.build(t, c.context, "type=image,push=true,name="+ref)
}

func (c *buildkitSession) pull(t *testing.T, ref string) result {
	from := workDir(t)
	must(t, os.WriteFile(filepath.Join(from, "Dockerfile"), []byte("FROM "+ref+"\n"), 0o644))
	res := c.build(t, from, "type=local,dest="+c.out)
	c.printed = res.stderr
	return res
}

func (c *buildkitSession) build(t *testing.T, dir, output string) result {
	return c.buildctl.exec(t, "build", "--progress", "plain", "--frontend", "dockerfile.v0",
		"--local", "context="+dir, "--local", "dockerfile="+dir, "--output", output)
}

var buildkitFrom = regexp.MustCompile(`FROM (\S+)@(sha256:[0-9a-f]{64})`)

func (c *buildkitSession) look(t *testing.T, ref string) (digest, text string) {
	if found := buildkitFrom.FindStringSubmatch(c.printed); found != nil {
		equal(t, "what was pulled", found[1], ref)
		digest = found[2]
	}
	return digest, readFile(t, filepath.Join(c.out, "e2e.txt"))
}
