package e2e

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

var busyboxOnce struct {
	sync.Once
	path string
}

// busybox returns Debian's static busybox, downloaded once in a run.
func busybox(t *testing.T) string {
	t.Helper()
	busyboxOnce.Do(func() {
		dir := workDir(t)
		unpackDebian(t, dir, busyboxPackages...)
		busyboxOnce.path = filepath.Join(dir, "bin", "busybox")
	})
	if busyboxOnce.path == "" {
		t.Fatal("busybox could not be downloaded")
	}
	return busyboxOnce.path
}

// The text goes through a command of the build: an image that prints it has been built, not only put together. It comes
// first, so that engines share no layer between two such images.
const dockerfile = `FROM scratch
COPY text /text
COPY busybox /bin/busybox
RUN ["/bin/busybox", "cp", "/text", "/e2e.txt"]
CMD ["/bin/busybox", "cat", "/e2e.txt"]
`

// buildContext returns a directory to build an image of, which prints text when it runs.
func buildContext(t *testing.T) (dir, text string) {
	t.Helper()
	dir, text = workDir(t), rand.Text()
	must(t, os.WriteFile(filepath.Join(dir, "busybox"), []byte(readFile(t, busybox(t))), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "text"), []byte(text), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o644))
	return dir, text
}
