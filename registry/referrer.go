package registry

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"github.com/berth-registry/berth/oci"
)

// Referrers visits the descriptors of the manifests of repo that have d as
// their subject, in order of their digests, greater than after ("" = all).
// What clients recorded by the referrers tag schema is merged in
// (distribution-spec, "Referrers Tag Schema"). A repository or subject that
// does not exist has none.
func (r *Registry) Referrers(ctx context.Context, repo string, d, after oci.Digest) iter.Seq2[oci.Descriptor, error] {
	return func(yield func(oci.Descriptor, error) bool) {
		tagged, err := r.tagged(ctx, repo, d, after)
		if err != nil {
			yield(oci.Descriptor{}, err)
			return
		}
		merge(r.meta.Referrers(ctx, repo, d, after), tagged, yield)
	}
}

// maxFallback bounds the index of a fallback tag in bytes. It is parsed for
// every listing; who has more referrers than fit uses the API.
const maxFallback = 1 << 20

// tagged returns the entries of the fallback tag's index, sorted. An index
// that cannot be read, or is too large, has none: clients write it, not berth.
func (r *Registry) tagged(ctx context.Context, repo string, d, after oci.Digest) ([]oci.Descriptor, error) {
	ref := oci.Reference{Tag: fallbackTag(d)}
	stored, err := r.meta.Manifest(ctx, repo, ref, false)
	if errors.Is(err, fs.ErrNotExist) || err == nil && stored.Size > maxFallback {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	stored, err = r.meta.Manifest(ctx, repo, oci.Reference{Digest: stored.Digest}, true)
	if errors.Is(err, fs.ErrNotExist) { // deleted meanwhile
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	index, err := oci.ParseManifest(stored.MediaType, stored.Bytes, stored.Digest.Algorithm())
	if err != nil || !index.Index() {
		return nil, nil
	}
	entries := slices.DeleteFunc(index.Manifests, func(e oci.Descriptor) bool { return e.Digest <= after })
	byDigest := func(a, b oci.Descriptor) int { return strings.Compare(string(a.Digest), string(b.Digest)) }
	slices.SortFunc(entries, byDigest)
	return slices.CompactFunc(entries, func(a, b oci.Descriptor) bool { return a.Digest == b.Digest }), nil
}

// fallbackTag is the digest as a tag: at most 32 characters of the algorithm
// and 64 of the hex.
func fallbackTag(d oci.Digest) string {
	a, hex := string(d.Algorithm()), d.Hex()
	return a[:min(len(a), 32)] + "-" + hex[:min(len(hex), 64)]
}

// merge visits both sorted sequences as one; of two entries for one digest it
// takes the stored one.
func merge(stored iter.Seq2[oci.Descriptor, error], tagged []oci.Descriptor, yield func(oci.Descriptor, error) bool) {
	for s, err := range stored {
		if err != nil {
			yield(s, err)
			return
		}
		for len(tagged) > 0 && tagged[0].Digest <= s.Digest {
			if tagged[0].Digest < s.Digest && !yield(tagged[0], nil) {
				return
			}
			tagged = tagged[1:]
		}
		if !yield(s, nil) {
			return
		}
	}
	for _, t := range tagged {
		if !yield(t, nil) {
			return
		}
	}
}
