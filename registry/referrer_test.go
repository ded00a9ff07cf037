package registry_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/registry"
)

// reader is metadata whose reading fails where it is told to.
type reader struct {
	registry.Metadata
	manifest, referrers, exists error
}

func (r *reader) Manifest(ctx context.Context, repo string, ref oci.Reference, withBytes bool) (metadata.Manifest, error) {
	if r.manifest != nil {
		return metadata.Manifest{}, r.manifest
	}
	return r.Metadata.Manifest(ctx, repo, ref, withBytes)
}

func (r *reader) Referrers(ctx context.Context, repo string, d, after oci.Digest) iter.Seq2[oci.Descriptor, error] {
	if r.referrers != nil {
		return func(yield func(oci.Descriptor, error) bool) { yield(oci.Descriptor{}, r.referrers) }
	}
	return r.Metadata.Referrers(ctx, repo, d, after)
}

func (r *reader) Exists(ctx context.Context, repo string) (bool, error) {
	if r.exists != nil {
		return false, r.exists
	}
	return r.Metadata.Exists(ctx, repo)
}

// TestReferrers: what refers by its subject and what the fallback tag lists
// are one listing, and a failure of either ends it.
func TestReferrers(t *testing.T) {
	t.Parallel()
	r := new(reader)
	s := newStack(t, settings{meta: func(m registry.Metadata) registry.Metadata { r.Metadata = m; return r }})
	subject := digestOf("subject")
	withSubject := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[],"subject":{"digest":%q}}`, oci.MediaTypeImageIndex, subject)
	tagged := digestOf("tagged")
	s.must(s.push(string(digestOf(withSubject)), withSubject))
	s.must(s.push("sha256-"+subject.Hex(), fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[{"digest":%q},{"digest":%q}]}`, oci.MediaTypeImageIndex, tagged, digestOf(withSubject))))
	list := func(after oci.Digest) (found []oci.Digest, err error) {
		for d, err := range s.Referrers(s.ctx, repo, subject, after) {
			if err != nil {
				return found, err
			}
			found = append(found, d.Digest)
		}
		return found, nil
	}
	want := []oci.Digest{digestOf(withSubject), tagged}
	slices.Sort(want)
	if got, err := list(""); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := list(want[0]); err != nil || !slices.Equal(got, want[1:]) {
		t.Errorf("after the first: %v, %v", got, err)
	}
	r.manifest = errors.New("disk")
	if _, err := list(""); !errors.Is(err, r.manifest) {
		t.Error(err)
	}
	r.manifest, r.referrers = nil, errors.New("disk")
	if _, err := list(""); !errors.Is(err, r.referrers) {
		t.Error(err)
	}
}

// TestDelete names what still needs a thing, and passes on what is our own
// failure.
func TestDelete(t *testing.T) {
	t.Parallel()
	r := new(reader)
	s := newStack(t, settings{meta: func(m registry.Metadata) registry.Metadata { r.Metadata = m; return r }})
	child := document("child")
	parent := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[{"digest":%q}]}`, oci.MediaTypeImageIndex, digestOf(child))
	s.must(s.push("child", child))
	s.must(s.push("parent", parent))
	byDigest := func(doc string) error {
		return s.DeleteManifest(s.ctx, repo, oci.Reference{Digest: digestOf(doc)})
	}
	err := byDigest(child)
	s.want("in use", err, oci.ErrUnsupported)
	if e := (*oci.Error)(nil); !errors.As(err, &e) || e.Detail != string(digestOf(parent))+" still needs it: delete that first" {
		t.Error(err)
	}
	s.must(s.DeleteManifest(s.ctx, repo, oci.Reference{Tag: "child"}))
	s.want("the tag again", s.DeleteManifest(s.ctx, repo, oci.Reference{Tag: "child"}), oci.ErrManifestUnknown)
	s.must(byDigest(parent))
	s.must(byDigest(child))
	s.want("the manifest again", byDigest(child), oci.ErrManifestUnknown)
	s.want("a blob", s.DeleteBlob(s.ctx, repo, digestOf("x")), oci.ErrBlobUnknown)
	tags, err := s.Tags(s.ctx, repo, "")
	s.must(err)
	for tag, err := range tags {
		t.Errorf("tag %q, %v", tag, err)
	}
	var repos []string
	for name, err := range s.Repositories(s.ctx, "") {
		s.must(err)
		repos = append(repos, name)
	}
	if !slices.Equal(repos, []string{repo}) {
		t.Error(repos)
	}
	r.exists = errors.New("disk")
	if _, err := s.Tags(s.ctx, repo, ""); !errors.Is(err, r.exists) {
		t.Error(err)
	}
}
