package bolt

import (
	"bytes"
	"encoding/binary"

	"go.etcd.io/bbolt"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
)

// What a parent needs its child to be: the value of an edge. A blob needs a
// link, a manifest has to be stored; an attestation is a manifest that tells of
// another one of the same parent.
const (
	edgeBlob        byte = 1
	edgeManifest    byte = 2
	edgeAttestation byte = 3
)

// findObject returns what repo knows of d: the zero object if nothing.
func findObject(tx *bbolt.Tx, repo string, d oci.Digest) (object, error) {
	var buf keyBuf
	v := get(tx, tableObjects, repoDigestKey(buf[:0], repo, d))
	if v == nil {
		return object{}, nil
	}
	return decodeObject(v)
}

// putObject stores o, giving it a number if it has none, and returns it.
func putObject(c *change, repo string, d oci.Digest, o object) (object, error) {
	if o.number == 0 {
		n, err := c.nextNumber()
		if err != nil {
			return o, err
		}
		o.number = n
	}
	var buf keyBuf
	return o, c.put(tableObjects, repoDigestKey(buf[:0], repo, d), encodeObject(o))
}

// settleObject stores o after something was taken from it, or removes it when
// nothing is left that needs its number.
func settleObject(c *change, repo string, d oci.Digest, o object) error {
	if o.linked || o.header != nil || mentioned(c.tx, o.number) {
		_, err := putObject(c, repo, d, o)
		return err
	}
	var buf keyBuf
	return c.delete(tableObjects, repoDigestKey(buf[:0], repo, d))
}

// mentioned reports whether any manifest has an edge to the child.
func mentioned(tx *bbolt.Tx, child uint64) bool {
	var buf keyBuf
	prefix := numberKey(buf[:0], child)
	k, _ := tx.Bucket([]byte(tableEdges)).Cursor().Seek(prefix)
	return bytes.HasPrefix(k, prefix)
}

// unused returns an *InUseError if a manifest needs the child to be a kind.
func unused(tx *bbolt.Tx, child uint64, kind byte) error {
	var buf keyBuf
	prefix := numberKey(buf[:0], child)
	c := tx.Bucket([]byte(tableEdges)).Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if len(v) != 1 || v[0] != kind && (kind != edgeManifest || v[0] != edgeAttestation) {
			continue
		}
		parent, _, err := decodeBytes(get(tx, tableBytes, k[len(prefix):]))
		if err != nil {
			return err
		}
		return &metadata.InUseError{Parent: parent}
	}
	return nil
}

// addEdges records what m, of number parent, needs. What is absent becomes an
// object too: once it arrives, it is held.
func addEdges(c *change, repo string, m *oci.Manifest, parent uint64) error {
	var buf keyBuf
	for d, kind := range edges(m) {
		child, err := findObject(c.tx, repo, d)
		if err == nil && child.number == 0 {
			child, err = putObject(c, repo, d, child)
		}
		if err != nil {
			return err
		}
		if err := c.put(tableEdges, edgeKey(buf[:0], child.number, parent), []byte{kind}); err != nil {
			return err
		}
	}
	return nil
}

// removeEdges is given the manifest as it is stored. Should this version of
// berth be unable to parse what an older one took, all edges are searched:
// slow, but what was pushed can be deleted.
func removeEdges(c *change, repo string, stored metadata.Manifest, parent uint64) error {
	m, err := oci.ParseManifest(stored.MediaType, stored.Bytes, stored.Digest.Algorithm())
	if err != nil || m.Digest != stored.Digest {
		return searchEdges(c, parent)
	}
	var buf keyBuf
	for d := range edges(m) {
		child, err := findObject(c.tx, repo, d)
		if err != nil {
			return err
		}
		if child.number == 0 { // mentioned twice, and gone with the first
			continue
		}
		if err := c.delete(tableEdges, edgeKey(buf[:0], child.number, parent)); err != nil {
			return err
		}
		if child.linked || child.header != nil {
			continue
		}
		if err := settleObject(c, repo, d, child); err != nil {
			return err
		}
	}
	return nil
}

func searchEdges(c *change, parent uint64) error {
	var found [][]byte
	cursor := c.tx.Bucket([]byte(tableEdges)).Cursor()
	for k, _ := cursor.First(); k != nil; k, _ = cursor.Next() {
		if len(k) == 16 && binary.BigEndian.Uint64(k[8:]) == parent {
			found = append(found, bytes.Clone(k))
		}
	}
	for _, k := range found {
		if err := c.delete(tableEdges, k); err != nil {
			return err
		}
	}
	return nil
}
