package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// Blob is a blob that a repository may read.
type Blob = metadata.Blob

// Blob returns the blob d if repo has a link to it: the link, not the
// presence of the bytes, is what allows to read (CVE-2026-35172). BLOB_UNKNOWN
// if it has none. No bytes are touched.
func (r *Registry) Blob(ctx context.Context, repo string, d oci.Digest) (Blob, error) {
	b, err := r.meta.Blob(ctx, repo, d)
	if err != nil {
		return Blob{}, missing(err, oci.ErrBlobUnknown)
	}
	return b, nil
}

// Open opens the bytes of a blob that Blob returned.
func (r *Registry) Open(ctx context.Context, b Blob) (storage.Blob, error) {
	f, err := r.store.Open(ctx, b.Key)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", b.Digest, err)
	}
	if f.Size() != b.Size {
		f.Close()
		return nil, fmt.Errorf("open %s: storage has %d bytes of %d", b.Digest, f.Size(), b.Size)
	}
	return f, nil
}

// Mount links a blob into repo without an upload. From names the repository
// that has it; empty means any that the caller may pull. allowed reports
// whether the caller may pull a repository: a blob that exists only where it
// may not is as good as absent (CVE-2024-39897). BLOB_UNKNOWN if there is
// nothing to mount.
func (r *Registry) Mount(ctx context.Context, repo, from string, d oci.Digest, allowed func(string) bool) (Blob, error) {
	if from == "" {
		source, err := r.source(ctx, d, allowed)
		if err != nil {
			return Blob{}, err
		}
		from = source
	}
	if !allowed(from) {
		return Blob{}, oci.ErrBlobUnknown
	}
	b, err := r.meta.MountBlob(ctx, repo, from, d)
	if err != nil {
		return Blob{}, missing(err, oci.ErrBlobUnknown)
	}
	return b, nil
}

// maxSources bounds how many repositories are looked at for an anonymous
// mount: a base layer may be in very many, and a client that finds none just
// uploads.
const maxSources = 1000

func (r *Registry) source(ctx context.Context, d oci.Digest, allowed func(string) bool) (string, error) {
	n := 0
	for repo, err := range r.meta.Linked(ctx, d) {
		if err != nil {
			return "", err
		}
		if allowed(repo) {
			return repo, nil
		}
		if n++; n == maxSources {
			break
		}
	}
	return "", oci.ErrBlobUnknown
}

// DeleteBlob removes repo's link to a blob. BLOB_UNKNOWN if it has none,
// UNSUPPORTED while a manifest of repo needs it.
func (r *Registry) DeleteBlob(ctx context.Context, repo string, d oci.Digest) error {
	return deletion(r.meta.UnlinkBlob(ctx, repo, d), oci.ErrBlobUnknown)
}

func deletion(err error, absent *oci.Error) error {
	if used := (*metadata.InUseError)(nil); errors.As(err, &used) {
		return oci.ErrUnsupported.With(fmt.Sprintf("%s still needs it: delete that first", used.Parent))
	}
	return missing(err, absent)
}
