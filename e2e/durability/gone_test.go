package durability

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-registry/berth/e2e/internal/berth"
)

// TestDataGone takes the data away from under a running server, in every way
// that happens: it reads what it can, refuses the rest with a reason that is
// none of the client's, and writes nothing where its disk was. Where the data
// come back it goes on by itself; where not, a restart begins anew.
func TestDataGone(t *testing.T) {
	t.Run("unmounted", func(t *testing.T) { unmounted(t, mkdir(t)) })
	t.Run("unmounted_from_an_older_tree", func(t *testing.T) {
		at := mkdir(t)
		older := newServer(t, at) // ran on the day on which the disk was not mounted
		older.start(t)
		older.Stop(t)
		unmounted(t, at)
	})
	t.Run("renamed", func(t *testing.T) {
		data := mkdir(t) + "/data"
		r := newRegistry(t, data)
		r.loses(t, func() { must(t, os.Rename(data, data+".away")) })
		must(t, os.Rename(data+".away", data))
		r.recovers(t)
	})
	t.Run("removed", func(t *testing.T) {
		data := mkdir(t) + "/data"
		r := newRegistry(t, data)
		r.loses(t, func() { must(t, os.RemoveAll(data)) })
		r.Stop(t)
		r.start(t) // on nothing, as at the first start
		r.absent(t, manifests(repo, "stable"))
		r.want(t, 201, "POST", blobs(repo, "uploads/?digest="+berth.Digest(r.config)), octets, r.config)
		r.Judge(t)
	})
}

// unmounted is a disk that is unmounted lazily, as an administrator does when
// it is busy, and mounted again.
func unmounted(t *testing.T, at string) {
	disk := newTmpfs(t).dir()
	bind(t, disk, at)
	t.Cleanup(func() { unmount(t, at) })
	r := newRegistry(t, at)
	r.loses(t, func() { unmount(t, at) })
	bind(t, disk, at)
	r.recovers(t)
}

// bind shows a directory at another path too.
func bind(t *testing.T, from, at string) {
	t.Helper()
	if err := syscall.Mount(from, at, "", syscall.MS_BIND, ""); err != nil {
		skip(t, "nothing can be mounted: "+err.Error())
	}
}

// loses takes the data away and looks at what the server does about it.
func (r *registry) loses(t *testing.T, takeAway func()) {
	t.Helper()
	r.location = r.session(t, r.layer[:5000])
	r.readable(t, false)
	takeAway()
	before := tree(t, r.Root)
	r.refuses(t, unavailable)
	unavailable.check(t, "GET of a blob", r.do(t, "GET", blobs(repo, berth.Digest(r.layer)), "", nil))
	r.readable(t, true)
	r.checks(t, "failed", "failed")
	for _, reason := range []string{
		"part=storage error=\"unavailable: " + r.Root + " is (gone|not the directory that was opened)",
		"part=metadata error=\"unavailable: " + r.DB + " (is gone|was replaced) while it is in use",
	} {
		if log := r.Logs(); !regexp.MustCompile(reason).MatchString(log) {
			t.Errorf("the log does not say %s:\n%s", reason, log)
		}
	}
	same(t, r.Root, before)
}

// refuses tries every kind of write.
func (r *registry) refuses(t *testing.T, f failure) {
	t.Helper()
	body, doc := content(9000, 7), image("new", r.config)
	for _, w := range []struct {
		method, path, media string
		body                []byte
	}{
		{"POST", blobs(repo, "uploads/"), "", nil},
		{"PATCH", r.location, octets, r.layer[5000:]},
		{"PUT", r.location + "?digest=" + berth.Digest(r.layer), octets, r.layer[5000:]},
		{"GET", r.location, "", nil},
		{"DELETE", r.location, "", nil},
		{"POST", blobs(repo, "uploads/?digest="+berth.Digest(body)), octets, body},
		{"POST", blobs(other, "uploads/?mount="+berth.Digest(r.layer)+"&from="+repo), "", nil},
		{"PUT", manifests(repo, "new"), imageType, doc},
		{"DELETE", manifests(repo, "stable"), "", nil},
		{"DELETE", manifests(repo, berth.Digest(r.image)), "", nil},
	} {
		if w.method == "GET" && r.sessions {
			continue
		}
		f.check(t, w.method+" "+w.path, r.do(t, w.method, w.path, w.media, w.body))
	}
	r.absent(t, blobs(repo, berth.Digest(body)))
	r.absent(t, manifests(repo, "new"))
	said, err := r.user(t, "add", "somebody", "--password-stdin")
	if err == nil || !strings.HasPrefix(said, "berth: the registry takes no changes at the moment") || strings.Count(said, "\n") != 1 {
		t.Errorf("berth user add: %v: %s", err, said)
	}
}

// recovers goes on where the data went away, and once more after a restart.
func (r *registry) recovers(t *testing.T) {
	t.Helper()
	r.checks(t, "ok", "ok")
	r.goesOn(t)
	r.Stop(t)
	r.start(t)
	r.readable(t, false)
	r.present(t, manifests(repo, "new"), image("new", r.config))
	r.Judge(t)
}

// goesOn finishes the upload that was open, and pushes an image.
func (r *registry) goesOn(t *testing.T) {
	t.Helper()
	r.readable(t, false)
	r.want(t, 202, "PATCH", r.location, octets, r.layer[5000:])
	r.want(t, 201, "PUT", r.location+"?digest="+berth.Digest(r.layer), "", nil)
	r.want(t, 201, "PUT", manifests(repo, "new"), imageType, image("new", r.config))
}

// TestDiskReadOnly has the file system find an error and become read-only, as
// disks do that fail. Only unmounting and mounting it again helps, so does only
// a restart; until then everything can be read.
func TestDiskReadOnly(t *testing.T) {
	d := newExt4(t)
	r := newRegistry(t, d.dir()+"/data")
	r.location = r.session(t, r.layer[:5000])
	fail := filepath.Join("/sys/fs/ext4", d.device, "trigger_fs_error")
	if err := os.WriteFile(fail, []byte("of a test"), 0); err != nil {
		skip(t, "the file system cannot be made to fail: "+err.Error())
	}
	r.sessions = true
	r.refuses(t, unavailable)
	r.readable(t, false)
	r.checks(t, "failed", "failed")
	r.Stop(t)
	if said := r.Refused(t); !strings.Contains(said, "read-only file system") || strings.Count(said, "\n") != 1 {
		t.Errorf("a start on the read-only disk: %s", said)
	}
	must(t, syscall.Unmount(d.at, 0))
	d.mount(t)
	r.start(t)
	r.location = r.session(t, r.layer[:5000]) // one need not survive what is no end of the process
	r.recovers(t)
}

// TestStorageReadOnly remounts the disk of storage read-only and back. That
// works while nothing on it is open for writing, so the lock lies elsewhere.
func TestStorageReadOnly(t *testing.T) {
	d := newTmpfs(t)
	root, lock, data := d.dir()+"/data", mkdir(t)+"/lock", mkdir(t)
	for _, file := range []string{root + "/_lock", lock} {
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, nil, 0o600))
	}
	bind(t, lock, root+"/_lock")
	r := newRegistry(t, data)
	r.Stop(t)
	r.Root = root
	r.start(t)
	for _, b := range [][]byte{r.config, r.layer} {
		r.want(t, 201, "POST", blobs(repo, "uploads/?digest="+berth.Digest(b)), octets, b)
	}
	r.location = r.session(t, r.layer[:5000])
	remount := func(flags uintptr) {
		t.Helper()
		must(t, syscall.Mount("berth", d.dir(), "tmpfs", syscall.MS_REMOUNT|flags, ""))
	}
	remount(syscall.MS_RDONLY)
	body := content(9000, 7)
	fresh := r.session(t, nil) // is metadata, on another disk
	for i, a := range []berth.Answer{
		r.do(t, "PATCH", fresh, octets, body),
		r.do(t, "PUT", fresh+"?digest="+berth.Digest(body), octets, body),
		r.do(t, "PATCH", r.location, octets, r.layer[5000:]),
		r.do(t, "POST", blobs(repo, "uploads/?digest="+berth.Digest(body)), octets, body),
	} {
		unavailable.check(t, []string{"PATCH", "PUT", "second PATCH", "POST"}[i], a)
	}
	r.checks(t, "failed", "ok")
	r.readable(t, false)
	r.absent(t, blobs(repo, berth.Digest(body)))
	remount(0)
	r.recovers(t)
}
