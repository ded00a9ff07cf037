package durability

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// plenty is more room than any test needs, in pages or inodes.
const plenty = 1 << 18

// disk is a small file system of one test.
type disk interface {
	dir() string
	// leave lets this many more pages and inodes be used.
	leave(t *testing.T, pages, inodes int)
}

// tmpfs has no blocks of its own for directories: names are bounded by inodes.
type tmpfs string

// mkdir makes a directory with a short path.
func mkdir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "berth-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func newTmpfs(t *testing.T) disk {
	t.Helper()
	dir := mkdir(t)
	if err := syscall.Mount("berth", dir, "tmpfs", 0, ""); err != nil {
		skip(t, "a tmpfs cannot be mounted: "+err.Error())
	}
	t.Cleanup(func() { unmount(t, dir) })
	must(t, os.WriteFile(filepath.Join(dir, "filler"), []byte("size=0 is no limit"), 0o600))
	d := tmpfs(dir)
	d.leave(t, plenty, plenty)
	return d
}

// unmount takes a disk away, whoever uses it.
func unmount(t *testing.T, dir string) {
	t.Helper()
	if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
		t.Error(err)
	}
}

func (d tmpfs) dir() string { return string(d) }

func (d tmpfs) leave(t *testing.T, pages, inodes int) {
	t.Helper()
	s := statfs(t, d.dir())
	options := fmt.Sprintf("size=%d,nr_inodes=%d", (int64(s.Blocks-s.Bfree)+int64(pages))*s.Bsize, int(s.Files-s.Ffree)+inodes)
	must(t, syscall.Mount("berth", d.dir(), "tmpfs", syscall.MS_REMOUNT, options))
}

func statfs(t *testing.T, dir string) (s syscall.Statfs_t) {
	t.Helper()
	must(t, syscall.Statfs(dir, &s))
	return s
}

// ext4 is a real file system in a file: its directories need blocks too.
type ext4 struct{ at, image, device string }

func newExt4(t *testing.T) *ext4 {
	t.Helper()
	dir := newTmpfs(t).dir() // whose syncs take no time
	d := &ext4{at: filepath.Join(dir, "disk"), image: filepath.Join(dir, "image")}
	must(t, os.Mkdir(d.at, 0o755))
	must(t, os.WriteFile(d.image, nil, 0o600))
	must(t, os.Truncate(d.image, 512<<20))
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", "-m", "0", d.image).CombinedOutput(); err != nil {
		skip(t, fmt.Sprintf("mkfs.ext4: %v: %s", err, out))
	}
	d.mount(t)
	t.Cleanup(func() { unmount(t, d.at) })
	return d
}

func (d *ext4) mount(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("mount", "-o", "loop,errors=remount-ro", d.image, d.at).CombinedOutput(); err != nil {
		skip(t, fmt.Sprintf("mount: %v: %s", err, out))
	}
	for line := range strings.Lines(read(t, "/proc/mounts")) {
		if fields := strings.Fields(line); fields[1] == d.at {
			d.device = filepath.Base(fields[0])
		}
	}
}

func (d *ext4) dir() string { return d.at }

// leave fills the disk with a file, but for some pages. Inodes are not counted.
func (d *ext4) leave(t *testing.T, pages, _ int) {
	t.Helper()
	filler, err := os.OpenFile(filepath.Join(d.at, "filler"), os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	must(t, err)
	defer filler.Close()
	must(t, filler.Sync()) // what was freed is free after the journal's commit
	if pages == plenty {
		return
	}
	s := statfs(t, d.at)
	for size := (int64(s.Bavail) - int64(pages)) * s.Bsize; size > 0; size -= s.Bsize {
		if err = syscall.Fallocate(int(filler.Fd()), 0, 0, size); err == nil && int(statfs(t, d.at).Bavail) <= pages {
			return
		}
	}
	t.Fatalf("the disk cannot be filled up to %d pages: %v", pages, err)
}
