package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
)

func refused(t *testing.T, path, why string) {
	t.Helper()
	s, err := Open(path, Options{})
	if err == nil {
		_ = s.Close()
		t.Fatalf("opened, want an error with %q", why)
	}
	if !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), path) {
		t.Errorf("error is %q, want %q in it", err, why)
	}
}

func TestOpenCreates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "berth.db")
	ok(t, os.MkdirAll(filepath.Dir(filepath.Dir(path)), 0o755))
	s := open(t, path)
	if s.Stats().Size == 0 {
		t.Error("has no size")
	}
	if s.db.NoSync || s.db.NoGrowSync || s.db.NoFreelistSync {
		t.Error("something is not synced")
	}
	for name, mode := range map[string]os.FileMode{filepath.Dir(path): 0o700, path: 0o600} {
		info, err := os.Stat(name)
		ok(t, err)
		if info.Mode().Perm() != mode {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	if _, err := os.Stat(path + ".new"); err == nil {
		t.Error("the name it was created under is still there")
	}
}

func TestOpenAfterCreationWasKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "berth.db")
	for _, left := range []string{"", "garbage", strings.Repeat("x", 20_000)} {
		ok(t, os.WriteFile(path+".new", []byte(left), 0o600))
		s := open(t, path)
		push(t, s, "a", "c", "v1")
		ok(t, s.Close())
		ok(t, os.Remove(path))
	}
}

func TestOpenTwice(t *testing.T) {
	s := openNew(t)
	refused(t, s.at.path, "is in use by another process")
	_, err := Open(s.at.path, Options{Wait: 30 * time.Millisecond})
	if err == nil {
		t.Fatal("opened twice")
	}
	opened := make(chan error)
	go func() {
		again, err := Open(s.at.path, Options{Wait: time.Minute})
		if err == nil {
			err = again.Close()
		}
		opened <- err
	}()
	ok(t, s.Close())
	ok(t, <-opened)
}

// Many processes start at once on nothing: one gets it, and it is whole.
func TestOpenRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "berth.db")
	results := make(chan *Store)
	for range 16 {
		go func() {
			s, err := Open(path, Options{})
			if err != nil && !strings.Contains(err.Error(), "in use") {
				t.Error(err)
			}
			results <- s
		}()
	}
	var winner *Store
	for range 16 {
		if s := <-results; s != nil {
			if winner != nil {
				t.Error("two have it")
			}
			winner = s
		}
	}
	if winner == nil {
		t.Fatal("nobody got it")
	}
	ok(t, winner.Check(ctx))
	ok(t, winner.Close())
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"empty": "", "short": "x", "text": strings.Repeat("no database\n", 10_000), "zeros": string(make([]byte, 1<<20)),
	} {
		path := filepath.Join(dir, name)
		ok(t, os.WriteFile(path, []byte(content), 0o600))
		refused(t, path, "nothing in it was changed")
		after, err := os.ReadFile(path)
		ok(t, err)
		if string(after) != content {
			t.Errorf("%s was changed", name)
		}
	}
	if _, err := Open(dir, Options{}); err == nil {
		t.Error("opened a directory")
	}
}

func TestOpenRefusesForeignAndNewer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "berth.db")
	db, err := bbolt.Open(path, 0o600, nil)
	ok(t, err)
	ok(t, db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("other")); return err }))
	ok(t, db.Close())
	refused(t, path, "no database of berth")
	refused(t, path, "Restore a backup of it, or move it away")
	ok(t, os.Remove(path))

	s := open(t, path)
	ok(t, s.writer.do(ctx, 0, func(c *change) error {
		return c.put(tableMeta, schemaKey, binary.AppendUvarint(nil, schema+1))
	}))
	ok(t, s.Close())
	refused(t, path, "newer version of berth (schema 2, known is 1)")
	refused(t, path, "Start that version again")
}

// filled makes a database of some dozen pages, free ones among them, and
// returns its bytes up to the last page that belongs to it.
func filled(t *testing.T) []byte {
	t.Helper()
	s := openNew(t)
	m := push(t, s, "a", "c", "v1")
	for i := range 6 {
		var tags []string
		for j := range 150 {
			tags = append(tags, fmt.Sprintf("t%d-%d", i, j))
		}
		ok(t, s.PutManifest(ctx, fmt.Sprint("r", i), metadata.PutManifest{Manifest: m, Tags: tags, Sparse: true, Now: now}))
	}
	for i := range 3 {
		ok(t, s.DeleteManifest(ctx, fmt.Sprint("r", i), m.Digest))
	}
	push(t, s, "a", "c", "v2")
	ok(t, s.Close())
	b, err := os.ReadFile(s.at.path)
	ok(t, err)
	end := len(b)
	for end > 0 && b[end-1] == 0 {
		end--
	}
	return b[:(end/os.Getpagesize()+1)*os.Getpagesize()]
}

// tryAll does everything with a database that may be damaged. Errors are
// fine, panics and hanging are not.
func tryAll(t *testing.T, path string) (opened bool) {
	t.Helper()
	s, err := Open(path, Options{})
	if err != nil {
		if !strings.Contains(err.Error(), "changed") {
			t.Errorf("the error does not say that nothing was changed: %v", err)
		}
		return false
	}
	use(t, s)
	_ = s.Close()
	return true
}

func use(t *testing.T, s *Store) {
	t.Helper()
	for repo := range s.Repositories(ctx, "") {
		for tag := range s.Tags(ctx, repo, "") {
			_, _ = s.Manifest(ctx, repo, oci.Reference{Tag: tag}, true)
		}
	}
	for range s.Linked(ctx, testBlob("c").Digest) {
	}
	_, _ = s.Blob(ctx, "a", testBlob("c").Digest)
	m := testImage(t, "c", "new")
	_ = s.LinkBlob(ctx, "a", testBlob("d"), "")
	_ = s.PutManifest(ctx, "a", metadata.PutManifest{Manifest: m, Tags: []string{"new"}, Now: now})
	_ = s.DeleteManifest(ctx, "a", m.Digest)
	_ = s.Check(ctx)
}

func TestTruncated(t *testing.T) {
	whole := filled(t)
	path := filepath.Join(t.TempDir(), "berth.db")
	for n := 0; n < len(whole); n += os.Getpagesize() {
		for _, cut := range []int{n, n + 16, n + 100} {
			ok(t, os.WriteFile(path, whole[:cut], 0o600))
			if tryAll(t, path) {
				t.Errorf("opened with %d of %d bytes", cut, len(whole))
			}
			after, err := os.ReadFile(path)
			ok(t, err)
			if !slices.Equal(after, whole[:cut]) {
				t.Errorf("changed what was cut to %d bytes", cut)
			}
		}
	}
	ok(t, os.WriteFile(path, whole, 0o600))
	if !tryAll(t, path) {
		t.Error("did not open the whole file")
	}
}

// Flipped bytes in either meta page leave the other one; in both, nothing.
func TestDamagedMeta(t *testing.T) {
	whole := filled(t)
	path := filepath.Join(t.TempDir(), "berth.db")
	size := os.Getpagesize()
	for at := 0; at < 84; at += 3 {
		for _, places := range [][]int{{at}, {size + at}, {at, size + at}} {
			b := slices.Clone(whole)
			for _, i := range places {
				b[i] ^= 0xff
			}
			ok(t, os.WriteFile(path, b, 0o600))
			opened := tryAll(t, path)
			record := at >= metaOffset && at < metaOffset+metaSize
			if record && opened != (len(places) == 1) {
				t.Errorf("bytes %v flipped: opened is %v", places, opened)
			}
		}
	}
}

// Flipped bytes in the header of any page: bbolt panics on most of them.
func TestDamagedPages(t *testing.T) {
	whole := filled(t)
	path := filepath.Join(t.TempDir(), "berth.db")
	size := os.Getpagesize()
	pages := len(whole) / size
	t.Logf("%d pages", pages)
	for page := 2; page < pages; page += 1 + pages/60 {
		for _, at := range []int{0, 8, 10, 12} { // id, flags, count, overflow
			b := slices.Clone(whole)
			b[page*size+at] ^= 0x5a
			ok(t, os.WriteFile(path, b, 0o600))
			tryAll(t, path)
		}
	}
}

// A file that is cut while it is mapped: reads fault.
func TestTruncatedWhileOpen(t *testing.T) {
	whole := filled(t)
	for _, keep := range []int64{0, 1, 2, 3, 10} { // pages
		path := filepath.Join(t.TempDir(), "berth.db")
		ok(t, os.WriteFile(path, whole, 0o600))
		s := open(t, path)
		ok(t, os.Truncate(path, keep*int64(os.Getpagesize())))
		use(t, s)
		if _, err := s.Manifest(ctx, "a", oci.Reference{Tag: "v1"}, true); err == nil {
			t.Errorf("%d pages kept: the manifest can be read", keep)
		}
		// With ten pages the ones that this write needs may be there or not.
		if err := s.LinkBlob(ctx, "a", testBlob("e"), ""); err == nil && keep < 10 {
			t.Errorf("%d pages kept: a write went well", keep)
		}
		_ = s.Close()
		if _, err := s.Exists(ctx, "a"); err == nil || keep > 1 && !errors.Is(err, os.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}
