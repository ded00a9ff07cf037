package bolt

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"iter"

	"go.etcd.io/bbolt"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
)

// Manifest implements metadata.Manifests.
func (s *Store) Manifest(ctx context.Context, repo string, ref oci.Reference, withBytes bool) (m metadata.Manifest, err error) {
	r, err := s.begin(ctx)
	if err != nil {
		return m, err
	}
	defer s.end(r, &err)
	d := ref.Digest
	if ref.Tag != "" {
		if d, err = taggedDigest(r.tx, repo, ref.Tag); err != nil {
			return m, err
		}
	}
	o, err := findObject(r.tx, repo, d)
	if err != nil {
		return m, err
	}
	return loadManifest(r.tx, d, o, withBytes)
}

// loadManifest copies what is stored of the manifest that o is.
func loadManifest(tx *bbolt.Tx, d oci.Digest, o object, withBytes bool) (metadata.Manifest, error) {
	if o.header == nil {
		return metadata.Manifest{}, fs.ErrNotExist
	}
	m, subject, err := decodeHeader(o.header, d)
	if err == nil {
		m.Pull, err = pullOf(tx, m, subject, o)
	}
	if err != nil || !withBytes {
		return m, err
	}
	var buf keyBuf
	_, body, err := decodeBytes(get(tx, tableBytes, numberKey(buf[:0], o.number)))
	if err != nil {
		return metadata.Manifest{}, err
	}
	m.Bytes = bytes.Clone(body)
	return m, nil
}

// PutManifest implements metadata.Manifests.
func (s *Store) PutManifest(ctx context.Context, repo string, p metadata.PutManifest) error {
	m := p.Manifest
	if err := checkDigests(m); err != nil {
		return err
	}
	return s.writer.do(ctx, len(m.Bytes), func(c *change) error {
		if !p.Sparse {
			if err := complete(c.tx, repo, m); err != nil {
				return err
			}
		}
		if err := addRepository(c, repo, p.Now); err != nil {
			return err
		}
		number, err := storeManifest(c, repo, p)
		if err != nil {
			return err
		}
		for _, tag := range p.Tags {
			if err := setTag(c, repo, tag, m.Digest, number); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkDigests refuses what has no key. Whoever made m with oci.ParseManifest
// never sees it.
func checkDigests(m *oci.Manifest) error {
	all := []oci.Digest{m.Digest}
	for d := range edges(m) {
		all = append(all, d)
	}
	if m.Subject != nil {
		all = append(all, m.Subject.Digest)
	}
	for _, d := range all {
		if !valid(d) {
			return fmt.Errorf("put a manifest: invalid digest %q", d)
		}
	}
	return nil
}

// edges visits what m needs. The subject is not among it: it may go first.
func edges(m *oci.Manifest) iter.Seq2[oci.Digest, byte] {
	return func(yield func(oci.Digest, byte) bool) {
		for _, b := range m.Blobs {
			if !yield(b.Digest, edgeBlob) {
				return
			}
		}
		for _, child := range m.Manifests {
			kind := edgeManifest
			if child.Attestation() {
				kind = edgeAttestation
			}
			if !yield(child.Digest, kind) {
				return
			}
		}
	}
}

// complete returns a *MissingError with everything that m needs and repo does
// not have.
func complete(tx *bbolt.Tx, repo string, m *oci.Manifest) error {
	var missing []oci.Digest
	seen := map[oci.Digest]bool{}
	look := func(d oci.Digest, there func(object) bool) error {
		o, err := findObject(tx, repo, d)
		if err == nil && !there(o) && !seen[d] {
			seen[d] = true
			missing = append(missing, d)
		}
		return err
	}
	for _, b := range m.Required() {
		if err := look(b.Digest, func(o object) bool { return o.linked }); err != nil {
			return err
		}
	}
	for _, child := range m.Manifests {
		if err := look(child.Digest, func(o object) bool { return o.header != nil }); err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		return &metadata.MissingError{Digests: missing}
	}
	return nil
}

// storeManifest writes the header, and of a manifest that is new its bytes and
// edges: the same digest again has the same of them. It returns the number.
func storeManifest(c *change, repo string, p metadata.PutManifest) (uint64, error) {
	m := p.Manifest
	o, err := findObject(c.tx, repo, m.Digest)
	if err != nil {
		return 0, err
	}
	known := o.header != nil
	o.header, o.class = encodeHeader(m, p.Now), classOf(m)
	if o, err = putObject(c, repo, m.Digest, o); err != nil {
		return 0, err
	}
	var buf keyBuf
	if m.Subject != nil { // even of a known one: the media type may have come in another Content-Type
		key := referrerKey(buf[:0], repo, m.Subject.Digest, m.Digest)
		if err := c.put(tableReferrers, key, encodeDescriptor(m.Descriptor)); err != nil {
			return 0, err
		}
	}
	if known {
		return o.number, nil
	}
	if err := c.put(tableBytes, numberKey(buf[:0], o.number), encodeBytes(m)); err != nil {
		return 0, err
	}
	return o.number, addEdges(c, repo, m, o.number)
}

// DeleteManifest implements metadata.Manifests.
func (s *Store) DeleteManifest(ctx context.Context, repo string, d oci.Digest) error {
	return s.writer.do(ctx, 0, func(c *change) error {
		o, err := findObject(c.tx, repo, d)
		if err != nil {
			return err
		}
		stored, err := loadManifest(c.tx, d, o, true)
		if err != nil {
			return err
		}
		if err := unused(c.tx, o.number, edgeManifest); err != nil {
			return err
		}
		return removeManifest(c, repo, stored, o)
	})
}

func removeManifest(c *change, repo string, stored metadata.Manifest, o object) error {
	_, subject, err := decodeHeader(o.header, stored.Digest)
	if err != nil {
		return err
	}
	var buf keyBuf
	if len(subject) > 0 {
		key := appendDigest(append(repoKey(buf[:0], repo), subject...), stored.Digest)
		if err := c.delete(tableReferrers, key); err != nil {
			return err
		}
	}
	if err := removeTags(c, repo, o.number); err != nil {
		return err
	}
	if err := removeEdges(c, repo, stored, o.number); err != nil {
		return err
	}
	if err := c.delete(tableBytes, numberKey(buf[:0], o.number)); err != nil {
		return err
	}
	o.header = nil
	return settleObject(c, repo, stored.Digest, o)
}
