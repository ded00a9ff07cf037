package filesystem

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

const (
	helloDigest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	helloPath   = "docker/registry/v2/blobs/sha256/2c/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824/data"
	emptyPath   = "docker/registry/v2/blobs/sha256/e3/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855/data"
	hello512    = "docker/registry/v2/blobs/sha512/9b/9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca7" +
		"2323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043/data"
)

// The paths that registry:3 writes for the same bytes.
func TestLayoutIsDistributions(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	put(t, s, []byte("hello"))
	put(t, s, nil)
	if _, err := begin(t, s, []byte("hello")).Commit(t.Context(), oci.FromBytes(oci.SHA512, []byte("hello"))); err != nil {
		t.Fatal(err)
	}
	want := []string{"_lock", helloPath, emptyPath, hello512}
	if got := files(t, root); !slices.Equal(got, want) {
		t.Errorf("files:\n%q\nwant\n%q", got, want)
	}
}

func TestReadsWhatDistributionWrote(t *testing.T) {
	root := t.TempDir()
	plant(t, root, helloPath, "hello")
	plant(t, root, "docker/registry/v2/repositories/library/x/_layers/sha256/abc/link", helloDigest)
	s := open(t, root)
	holds(t, s, helloDigest, []byte("hello"))
	put(t, s, []byte("hello")) // harmless
	holds(t, s, helloDigest, []byte("hello"))
	check(t, s.Delete(t.Context(), helloDigest))
	if _, err := os.Stat(filepath.Join(root, filepath.Dir(helloPath))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory is left: %v", err)
	}
}

func plant(t *testing.T, root, path, body string) {
	t.Helper()
	path = filepath.Join(root, path)
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.WriteFile(path, []byte(body), 0o644))
}

// What lies elsewhere in the tree is no blob.
func TestWalkPassesOverOthers(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Dir(helloPath)
	plant(t, root, helloPath, "hello")
	plant(t, root, filepath.Join(dir, "startedat"), "x")
	plant(t, root, "docker/registry/v2/blobs/sha256/file", "x")
	plant(t, root, "docker/registry/v2/blobs/sha256/2c/short/data", "x")
	plant(t, root, "docker/registry/v2/blobs/sha256/ff/"+filepath.Base(dir)+"/data", "in another prefix")
	plant(t, root, "docker/registry/v2/blobs/sha256/2c/2CF24DBA5FB0A30E26E83B2AC5B9E29E1B161E5C1FA7425E73043362938B9824/data", "x")
	plant(t, root, "docker/registry/v2/blobs/md5/5d/5d41402abc4b2a76b9719d911017c592/data", "hello")
	plant(t, root, emptyPath+"/data-is-a-directory", "x")
	s := open(t, root)
	var got []storage.Key
	for info, err := range s.Walk(t.Context()) {
		check(t, err)
		got = append(got, info.Key)
	}
	if want := []storage.Key{helloDigest}; !slices.Equal(got, want) {
		t.Errorf("Walk shows %q, want %q", got, want)
	}
}

func TestNotARegularFile(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	check(t, os.MkdirAll(filepath.Join(root, helloPath), 0o755))       // a directory for data
	plant(t, root, filepath.Dir(emptyPath), "a file instead of <hex>") // data would be below it
	empty := storage.Key("sha256:" + filepath.Base(filepath.Dir(emptyPath)))
	for _, key := range []storage.Key{helloDigest, empty} {
		if _, err := s.Open(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Open(%s) = %v", key, err)
		}
		if _, err := s.Stat(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Stat(%s) = %v", key, err)
		}
	}
	check(t, s.Delete(t.Context(), empty))
}

// A file that some crash has shortened must not stand in for the blob.
func TestDamagedBlobIsReplaced(t *testing.T) {
	for _, damage := range []string{"", "hell", "hello, world"} {
		root := t.TempDir()
		plant(t, root, helloPath, damage)
		s := open(t, root)
		put(t, s, []byte("hello"))
		holds(t, s, helloDigest, []byte("hello"))
	}
}

func TestInvalidDigest(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	for _, d := range []oci.Digest{"", "sha256:", "sha256:../../../../../../x", "md5:5d41402abc4b2a76b9719d911017c592"} {
		if key, err := begin(t, s, []byte("hello")).Commit(t.Context(), d); err == nil {
			t.Errorf("Commit(%q) = %q, want an error", d, key)
		}
	}
	if got, want := files(t, root), []string{"_lock"}; !slices.Equal(got, want) {
		t.Errorf("files: %q, want %q", got, want)
	}
}

// The server finds the file of a blob, which is what sendfile needs, and serves
// ranges of it.
func TestBlobIsAFile(t *testing.T) {
	s := open(t, t.TempDir())
	b, err := s.Open(t.Context(), put(t, s, []byte("hello")))
	check(t, err)
	defer b.Close()
	file, ok := b.(interface{ File() *os.File })
	if !ok || file.File() == nil {
		t.Fatal("a blob must have a File() *os.File")
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header.Set("Range", "bytes=1-3")
	http.ServeContent(w, r, "", time.Time{}, file.File())
	if w.Code != http.StatusPartialContent || w.Body.String() != "ell" {
		t.Errorf("served %d %q", w.Code, w.Body)
	}
}
