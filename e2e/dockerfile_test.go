package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const imageLimit = 30 << 20

var (
	argLine  = regexp.MustCompile(`(?im)^ARG\s+(\w+)=(\S+)`)
	fromLine = regexp.MustCompile(`(?im)^FROM\s+(?:--platform=\S+\s+)?(\S+)(?:\s+AS\s+(\S+))?`)
	// pins are what a stand-in cannot satisfy: digests of images, and the image of a newer Dockerfile syntax.
	pins = regexp.MustCompile(`(?m)@sha256:[0-9a-f]{64}|^#\s*syntax=.*$`)
)

// TestDockerfile builds berth's own image and looks at what came out.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("../Dockerfile")
	must(t, err)
	docker := dockerEngine(t).docker(t).setenv("DOCKER_BUILDKIT=1")
	unpinned := pins.ReplaceAllString(string(text), "")
	file := filepath.Join(workDir(t), "Dockerfile")
	must(t, os.WriteFile(file, []byte(unpinned), 0o644))
	for _, name := range baseImages(unpinned) {
		standIn(t, docker, name)
	}
	docker.run(t, "build", "--network", "none", "--progress", "plain", "-t", "berth:e2e", "-f", file, "..")

	size, err := strconv.Atoi(inspect(t, docker, "{{.Size}}"))
	must(t, err)
	figure(t, "the image has %.1f MB", float64(size)/(1<<20))
	if size > imageLimit {
		t.Errorf("the image has %d bytes, want at most %d", size, imageLimit)
	}
	if name, _, _ := strings.Cut(inspect(t, docker, "{{.Config.User}}"), ":"); name == "" || name == "0" || name == "root" {
		t.Errorf("the image runs as user %q", name)
	}
	version := docker.run(t, "run", "--rm", "--network", "none", "--read-only", "berth:e2e", "version")
	contains(t, "berth version", version, "berth")
	certificates := copyOut(t, docker, "berth:e2e", "/etc/ssl/certs/ca-certificates.crt")
	contains(t, "root certificates", certificates, "BEGIN CERTIFICATE")
	t.Run("serve", func(t *testing.T) { serveImage(t, docker) })
}

// serveImage runs the image as its user would, with a root filesystem nothing can be written to.
func serveImage(t *testing.T, docker program) {
	t.Helper()
	s := &server{addr: freeAddr(t), scheme: "http", client: http.DefaultClient}
	name := docker.run(t, "run", "--detach", "--network", "host", "--read-only",
		"--env", "BERTH_HTTP_ADDR="+s.addr, "--env", "BERTH_ADMIN_PASSWORD="+adminPassword, "berth:e2e")
	defer func() {
		if t.Failed() {
			t.Log(docker.exec(t, "logs", name))
		}
		docker.run(t, "rm", "--force", "--volumes", name)
	}()
	until(t, 30*time.Second, "GET /readyz", s.ready)
	img := newImage(t, ociTypes, "amd64")
	s.push(t, admin, "public/app", "1", img)
	equal(t, "digest by anybody", s.digest(t, user{}, "public/app", "1"), img.manifest.digest)
	contains(t, "berth user list", docker.run(t, "exec", name, "/berth", "user", "list", "--config", "/config.yaml"), "admin")
	docker.run(t, "stop", name)
	equal(t, "exit code", docker.run(t, "inspect", "--format", "{{.State.ExitCode}}", name), "0")
}

// baseImages returns the images a Dockerfile starts from, but for scratch and its own stages.
func baseImages(dockerfile string) []string {
	args := map[string]string{}
	for _, arg := range argLine.FindAllStringSubmatch(dockerfile, -1) {
		args[arg[1]] = strings.Trim(arg[2], `"'`)
	}
	own := map[string]bool{"scratch": true}
	var names []string
	for _, from := range fromLine.FindAllStringSubmatch(dockerfile, -1) {
		name := os.Expand(from[1], func(key string) string { return args[key] })
		if !own[name] {
			names = append(names, name)
		}
		own[name], own[from[2]] = true, true
	}
	return names
}

func inspect(t *testing.T, docker program, format string) string {
	t.Helper()
	return docker.run(t, "image", "inspect", "--format", format, "berth:e2e")
}
