package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// Packages to make images of: the root filesystems are Debian's own files.
var (
	busyboxPackages = []string{"busybox-static"}
	nginxPackages   = []string{"nginx", "nginx-common", "libc6", "libcrypt1", "libpcre2-8-0", "libssl3", "zlib1g"}
)

// unpackDebian downloads packages and unpacks them into dir, without installing anything.
func unpackDebian(t *testing.T, dir string, packages ...string) {
	t.Helper()
	apt, dpkg := require(t, "apt-get"), require(t, "dpkg-deb")
	debs := workDir(t)
	apt.in(debs).with("-q", "-o", "APT::Sandbox::User=root", "download").run(t, packages...)
	files, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	must(t, err)
	equal(t, "packages downloaded", len(files), len(packages))
	must(t, os.MkdirAll(dir, 0o755))
	for _, file := range files {
		dpkg.run(t, "-x", file, dir)
	}
}
