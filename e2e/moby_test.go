package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// TestClientMoby has Docker's engine of the next generation, which keeps images in containerd and speaks to registries as
// containerd does, driven by Debian's client of years ago: the oldest API that the engine still has on demand.
func TestClientMoby(t *testing.T) {
	needRoot(t)
	require(t, "docker")
	dockerd := requireSlow(t, "moby/dockerd")
	path := filepath.Dir(require(t, "containerd2/containerd").path) + ":" + os.Getenv("PATH") + ":/usr/sbin:/sbin"
	// Debian's runc knows no time namespaces.
	e, err := startEngine("moby", dockerd.with("--userland-proxy=false", "--feature", "time-namespaces=false").setenv("DOCKER_MIN_API_VERSION=1.24", "PATH="+path))
	must(t, err)
	e.ready(t)
	contains(t, "docker info", e.docker(t).run(t, "info", "--format", "{{json .DriverStatus}}"), "io.containerd.snapshotter.v1")
	client{name: "docker, containerd store", version: moduleVersion(t, dockerd), token: "POST", open: e.open}.walk(t)
}
