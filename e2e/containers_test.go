package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What podman and buildah would otherwise keep below /var/lib, /run and /etc. The storage driver is the plainest one: it
// mounts nothing, and works on every filesystem.
const (
	containersConf = `
[containers]
default_ulimits = []
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
tmp_dir = "DIR/tmp"
[network]
network_config_dir = "DIR/net"
`
	storageConf = `
[storage]
driver = "vfs"
graphroot = "DIR/root"
runroot = "DIR/run"
`
)

// ownContainers gives a program a store, a configuration and credentials of its own, for the server.
func ownContainers(t *testing.T, s *server, p program) (program, dockerConfig) {
	t.Helper()
	dir := workDir(t)
	for name, text := range map[string]string{"containers.conf": containersConf, "storage.conf": storageConf, "auth.json": "{}"} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(text, "DIR", dir)), 0o600))
	}
	for _, name := range []string{"tmp", "net"} {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o755))
	}
	auths := filepath.Join(dir, "auth.json")
	return p.setenv("HOME="+dir, "XDG_RUNTIME_DIR="+dir, "TMPDIR="+filepath.Join(dir, "tmp"), "REGISTRY_AUTH_FILE="+auths,
		"CONTAINERS_CONF="+filepath.Join(dir, "containers.conf"), "CONTAINERS_STORAGE_CONF="+filepath.Join(dir, "storage.conf")), dockerConfig{auths, s.addr}
}

// needRoot skips a test that mounts or starts containers.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		skip(t, "needs root")
	}
}
