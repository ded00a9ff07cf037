package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// Manifest is a stored manifest; Bytes is nil if only its header was asked for.
type Manifest = metadata.Manifest

// Manifest returns the manifest that ref names in repo, with its bytes or
// only its header. MANIFEST_UNKNOWN if there is none.
func (r *Registry) Manifest(ctx context.Context, repo string, ref oci.Reference, withBytes bool) (Manifest, error) {
	m, err := r.meta.Manifest(ctx, repo, ref, withBytes)
	if err != nil {
		return Manifest{}, missing(err, oci.ErrManifestUnknown)
	}
	return m, nil
}

// Push is a manifest as it arrives.
type Push struct {
	Repo        string
	Reference   oci.Reference // of the path
	Tags        []string      // more tags, of ?tag=
	ContentType string
	Bytes       []byte
}

// PushManifest parses p, checks that what it references is in the repository
// and stores it with its tags in one transaction. Errors: MANIFEST_INVALID,
// DIGEST_INVALID, MANIFEST_BLOB_UNKNOWN naming what is missing.
func (r *Registry) PushManifest(ctx context.Context, p Push) (*oci.Manifest, error) {
	if int64(len(p.Bytes)) > r.opts.MaxManifest {
		return nil, oci.ErrManifestTooLarge
	}
	m, err := parse(p)
	if err != nil {
		return nil, err
	}
	tags := p.Tags
	if p.Reference.Tag != "" {
		tags = append([]string{p.Reference.Tag}, tags...)
	}
	err = r.meta.PutManifest(ctx, p.Repo, metadata.PutManifest{
		Manifest: m,
		Tags:     tags,
		Sparse:   r.opts.Sparse(p.Repo),
		Now:      r.opts.Now(),
	})
	if absent := (*metadata.MissingError)(nil); errors.As(err, &absent) {
		return nil, oci.ErrManifestBlobUnknown.With(list(absent.Digests))
	}
	if err != nil {
		return nil, fmt.Errorf("put manifest: %w", err)
	}
	r.writeBehind(ctx, m)
	return m, nil
}

func parse(p Push) (*oci.Manifest, error) {
	algorithm := oci.SHA256
	if p.Reference.Digest != "" {
		algorithm = p.Reference.Digest.Algorithm()
	}
	m, err := oci.ParseManifest(p.ContentType, p.Bytes, algorithm)
	if p.Reference.Digest != "" && oci.FromBytes(algorithm, p.Bytes) != p.Reference.Digest {
		return nil, oci.ErrDigestInvalid
	}
	return m, err
}

// list names digests for people, not more than they would read.
func list(digests []oci.Digest) string {
	const most = 20
	var names []string
	for i, d := range digests {
		if i == most {
			names = append(names, fmt.Sprintf("and %d more", len(digests)-most))
			break
		}
		names = append(names, string(d))
	}
	return strings.Join(names, ", ")
}

// DeleteManifest removes what ref names: a tag alone, or a manifest with all
// its tags. MANIFEST_UNKNOWN if it is absent, UNSUPPORTED while an index of
// repo lists the manifest.
func (r *Registry) DeleteManifest(ctx context.Context, repo string, ref oci.Reference) error {
	if ref.Tag != "" {
		return missing(r.meta.DeleteTag(ctx, repo, ref.Tag), oci.ErrManifestUnknown)
	}
	return deletion(r.meta.DeleteManifest(ctx, repo, ref.Digest), oci.ErrManifestUnknown)
}

// maxBehind bounds the manifests that are being copied to storage at a time;
// beyond it pushes wait.
const maxBehind = 16

// writeBehind copies a manifest's bytes into storage beside the answer, where
// other registries and a rebuild of the metadata find them. The metadata
// holds the manifest already, so a failure, or a client that does not wait,
// loses nothing that was promised.
func (r *Registry) writeBehind(ctx context.Context, m *oci.Manifest) {
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	r.behind.Go(func() {
		defer func() { <-r.slots }()
		if err := r.keep(context.Background(), m); err != nil {
			r.opts.Log.Warn("manifest not copied to storage", "digest", m.Digest, "error", err)
		}
	})
}

func (r *Registry) keep(ctx context.Context, m *oci.Manifest) error {
	up, err := r.store.Begin(ctx, storage.Hint{Algorithm: m.Digest.Algorithm(), Digest: m.Digest, Size: m.Size, Copy: true})
	if err != nil {
		return err
	}
	defer func() { _ = up.Cancel(ctx) }() // nothing to do after Commit
	if _, err := bytes.NewReader(m.Bytes).WriteTo(up); err != nil {
		return err
	}
	_, err = up.Commit(ctx, m.Digest)
	return err
}
