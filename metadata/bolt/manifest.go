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

// What the child of an edge is: the value of its row. A blob holds a link, a
// manifest holds another manifest.
const (
	edgeBlob     byte = 1
	edgeManifest byte = 2
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
	var buf keyBuf
	key := repoDigestKey(buf[:0], repo, d)
	v, err := must(r.tx, tableManifests, key)
	if err != nil {
		return m, err
	}
	if m, _, err = decodeHeader(v, d); err != nil || !withBytes {
		return m, err
	}
	if m.Bytes = bytes.Clone(get(r.tx, tableBytes, key)); m.Bytes == nil {
		return metadata.Manifest{}, errRecord // a header without its manifest
	}
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
			if missing := missing(c.tx, repo, m); len(missing) > 0 {
				return &metadata.MissingError{Digests: missing}
			}
		}
		if err := addRepository(c, repo, p.Now); err != nil {
			return err
		}
		if err := storeManifest(c, repo, p); err != nil {
			return err
		}
		for _, tag := range p.Tags {
			if err := setTag(c, repo, tag, m.Digest); err != nil {
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

// missing collects everything that m needs and repo does not have.
func missing(tx *bbolt.Tx, repo string, m *oci.Manifest) []oci.Digest {
	var absent []oci.Digest
	seen := map[oci.Digest]bool{}
	var buf keyBuf
	look := func(table string, d oci.Digest) {
		if !has(tx, table, repoDigestKey(buf[:0], repo, d)) && !seen[d] {
			seen[d] = true
			absent = append(absent, d)
		}
	}
	for _, b := range m.Required() {
		look(tableLinks, b.Digest)
	}
	for _, child := range m.Manifests {
		look(tableManifests, child.Digest)
	}
	return absent
}

// storeManifest writes the header, and with a manifest that is new its bytes,
// edges and referrer entry. The same digest again has the same of them.
func storeManifest(c *change, repo string, p metadata.PutManifest) error {
	m := p.Manifest
	var buf keyBuf
	key := repoDigestKey(buf[:0], repo, m.Digest)
	known := has(c.tx, tableManifests, key)
	if err := c.put(tableManifests, key, encodeHeader(m, p.Now)); err != nil {
		return err
	}
	if !known {
		if err := c.put(tableBytes, key, m.Bytes); err != nil {
			return err
		}
		if err := addEdges(c, repo, m); err != nil {
			return err
		}
	}
	if m.Subject == nil {
		return nil
	}
	// Even for a known one: the media type may have come in another Content-Type.
	key = pairKey(buf[:0], repo, m.Subject.Digest, m.Digest)
	return c.put(tableReferrers, key, encodeDescriptor(m.Descriptor))
}

// addEdges also records what is absent: once it arrives, it is held.
func addEdges(c *change, repo string, m *oci.Manifest) error {
	var buf keyBuf
	for child, kind := range edges(m) {
		if err := c.put(tableEdges, pairKey(buf[:0], repo, child, m.Digest), []byte{kind}); err != nil {
			return err
		}
	}
	return nil
}

// edges visits what m holds. The subject is not among it: it may go first.
func edges(m *oci.Manifest) iter.Seq2[oci.Digest, byte] {
	return func(yield func(oci.Digest, byte) bool) {
		for _, b := range m.Blobs {
			if !yield(b.Digest, edgeBlob) {
				return
			}
		}
		for _, child := range m.Manifests {
			if !yield(child.Digest, edgeManifest) {
				return
			}
		}
	}
}

// unused returns an *InUseError if a manifest of repo holds child as a kind.
func unused(tx *bbolt.Tx, repo string, child oci.Digest, kind byte) error {
	var buf keyBuf
	prefix := repoDigestKey(buf[:0], repo, child)
	c := tx.Bucket([]byte(tableEdges)).Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if len(v) != 1 || v[0] != kind {
			continue
		}
		parent, _, ok := cutDigest(k[len(prefix):])
		if !ok {
			return errRecord
		}
		return &metadata.InUseError{Parent: parent}
	}
	return nil
}

// DeleteManifest implements metadata.Manifests.
func (s *Store) DeleteManifest(ctx context.Context, repo string, d oci.Digest) error {
	return s.writer.do(ctx, 0, func(c *change) error {
		var buf keyBuf
		key := repoDigestKey(buf[:0], repo, d)
		v := get(c.tx, tableManifests, key)
		if v == nil {
			return fs.ErrNotExist
		}
		if err := unused(c.tx, repo, d, edgeManifest); err != nil {
			return err
		}
		doomed, err := related(c.tx, repo, d, v)
		if err != nil {
			return err
		}
		doomed = append(doomed, row{tableManifests, key}, row{tableBytes, key})
		for _, r := range doomed {
			if err := c.delete(r.table, r.key); err != nil {
				return err
			}
		}
		return nil
	})
}

// row is the place of a row.
type row struct {
	table string
	key   []byte
}

// related collects the rows that a manifest has besides its header and bytes.
func related(tx *bbolt.Tx, repo string, d oci.Digest, value []byte) ([]row, error) {
	header, subject, err := decodeHeader(value, d)
	if err != nil {
		return nil, err
	}
	rows := append(tagRows(tx, repo, d), edgeRows(tx, repo, header)...)
	if len(subject) > 0 {
		key := appendDigest(append(repoKey(nil, repo), subject...), d)
		rows = append(rows, row{tableReferrers, key})
	}
	return rows, nil
}

// edgeRows reads the edges from the manifest itself. Should this version of
// berth be unable to parse what an older one took, all edges of the
// repository are searched: slow, but what was pushed can be deleted.
func edgeRows(tx *bbolt.Tx, repo string, header metadata.Manifest) []row {
	var rows []row
	stored := get(tx, tableBytes, repoDigestKey(nil, repo, header.Digest))
	m, err := oci.ParseManifest(header.MediaType, stored, header.Digest.Algorithm())
	if err == nil && m.Digest == header.Digest {
		for child := range edges(m) {
			rows = append(rows, row{tableEdges, pairKey(nil, repo, child, header.Digest)})
		}
		return rows
	}
	prefix, parent := repoKey(nil, repo), appendDigest(nil, header.Digest)
	c := tx.Bucket([]byte(tableEdges)).Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if bytes.HasSuffix(k, parent) {
			rows = append(rows, row{tableEdges, bytes.Clone(k)})
		}
	}
	return rows
}
