package registry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/registry"
	"github.com/berth-registry/berth/storage"
)

// document is a manifest that differs by its note.
func document(note string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[],"annotations":{"note":%q}}`, oci.MediaTypeImageIndex, note)
}

func (s *stack) push(reference, doc string) error {
	ref, err := oci.ParseReference(reference)
	s.must(err)
	_, err = s.PushManifest(s.ctx, registry.Push{Repo: repo, Reference: ref, Bytes: []byte(doc)})
	return err
}

// TestWriteBehind finds the bytes of every manifest in storage after Close,
// under its digest, where other registries look for them.
func TestWriteBehind(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	docs := map[storage.Key]string{}
	var all sync.WaitGroup
	for i := range 40 { // more than are written at a time
		doc := document(fmt.Sprint(i))
		d := oci.FromBytes([]oci.Algorithm{oci.SHA256, oci.SHA512}[i%2], []byte(doc))
		docs[storage.Key(d)] = doc
		all.Go(func() {
			if err := s.push(string(d), doc); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s.Close()
	for key, doc := range docs {
		f, err := s.files.Open(s.ctx, key)
		s.must(err)
		got, err := io.ReadAll(f)
		s.must(err)
		s.must(f.Close())
		if string(got) != doc {
			t.Errorf("%s: %q", key, got)
		}
	}
	if s.log.String() != "" {
		t.Errorf("log: %s", s.log)
	}
	// In storage is not in the repository: the links of blobs are others.
	_, err := s.Blob(s.ctx, repo, digestOf(document("0")))
	s.want("a manifest as a blob", err, oci.ErrBlobUnknown)
}

// closedStore takes no uploads.
type closedStore struct {
	storage.Store
	err error
}

func (s closedStore) Begin(context.Context, storage.Hint) (storage.Upload, error) { return nil, s.err }

// TestWriteBehindFails promises nothing that was not kept: the manifest is
// there, the log says what is not.
func TestWriteBehindFails(t *testing.T) {
	t.Parallel()
	disk := errors.New("disk")
	s := newStack(t, settings{storage: func(next storage.Store) storage.Store { return closedStore{next, disk} }})
	s.must(s.push("v1", document("x")))
	s.Close()
	m, err := s.Manifest(s.ctx, repo, oci.Reference{Tag: "v1"}, true)
	if err != nil || string(m.Bytes) != document("x") {
		t.Errorf("%q, %v", m.Bytes, err)
	}
	if got := s.log.String(); !strings.Contains(got, "level=WARN") || !strings.Contains(got, "error=disk") {
		t.Errorf("log: %s", got)
	}
	_, err = s.PushBlob(s.ctx, repo, digestOf("x"), 1, strings.NewReader("x"))
	if !errors.Is(err, disk) {
		t.Error(err)
	}
	_, err = s.AppendUpload(s.ctx, s.start(), chunk("x"))
	if !errors.Is(err, disk) {
		t.Error(err)
	}
}

// TestPushManifest holds the limits that do not depend on HTTP.
func TestPushManifest(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{options: func(o *registry.Options) {
		o.MaxManifest = 1000
		o.Sparse = func(string) bool { return false }
	}})
	long := document(strings.Repeat("x", 1000))
	s.want("too large", s.push("v1", long), oci.ErrManifestTooLarge)
	s.want("another digest", s.push(string(digestOf("x")), document("x")), oci.ErrDigestInvalid)
	s.want("another digest and no JSON", s.push(string(digestOf("x")), "y"), oci.ErrDigestInvalid)
	s.want("no JSON", s.push("v1", "y"), oci.ErrManifestInvalid)
	missing := strings.Replace(document("x"), "[]", fmt.Sprintf(`[{"digest":%q}]`, digestOf("child")), 1)
	err := s.push("v1", missing)
	s.want("a child that is absent", err, oci.ErrManifestBlobUnknown)
	if !strings.Contains(err.Error(), string(digestOf("child"))) {
		t.Error(err)
	}
	_, err = s.Manifest(s.ctx, repo, oci.Reference{Tag: "v1"}, false)
	s.want("the manifest", err, oci.ErrManifestUnknown)
	_, err = s.Tags(s.ctx, repo, "")
	s.want("the repository", err, oci.ErrNameUnknown)
}

// TestOpen refuses bytes that are not as many as were pushed.
func TestOpen(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	b, err := s.PushBlob(s.ctx, repo, digestOf(ten), -1, strings.NewReader(ten))
	s.must(err)
	hex := b.Digest.Hex()
	s.must(os.Truncate(filepath.Join(s.dir, "storage", "docker", "registry", "v2", "blobs", "sha256", hex[:2], hex, "data"), 3))
	if _, err := s.Open(s.ctx, b); err == nil {
		t.Error("half a blob was opened")
	}
	s.must(s.files.Delete(s.ctx, b.Key))
	if _, err := s.Open(s.ctx, b); err == nil {
		t.Error("an absent blob was opened")
	}
}

// TestMountBound looks at a bounded number of repositories for one to mount
// from, and never at what the caller may not see.
func TestMountBound(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	b, err := s.PushBlob(s.ctx, "team/a", digestOf(ten), -1, strings.NewReader(ten))
	s.must(err)
	var all sync.WaitGroup
	for i := range 1005 {
		all.Go(func() {
			if err := s.bolt.LinkBlob(s.ctx, fmt.Sprintf("hidden/%04d", i), b, ""); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	asked := 0
	only := func(names ...string) func(string) bool {
		return func(repo string) bool {
			asked++
			for _, n := range names {
				if n == repo {
					return true
				}
			}
			return false
		}
	}
	_, err = s.Mount(s.ctx, repo, "", b.Digest, only("team/a"))
	s.want("beyond the bound", err, oci.ErrBlobUnknown)
	if asked != 1000 {
		t.Errorf("%d repositories were looked at", asked)
	}
	_, err = s.Mount(s.ctx, repo, "team/a", b.Digest, only())
	s.want("where it may not be pulled", err, oci.ErrBlobUnknown)
	_, err = s.Mount(s.ctx, repo, "team/b", b.Digest, only("team/b"))
	s.want("where it is not", err, oci.ErrBlobUnknown)
	if _, err = s.Mount(s.ctx, repo, "", b.Digest, only("hidden/0003")); err != nil || s.content(repo, b.Digest) != ten {
		t.Error(err)
	}
}
