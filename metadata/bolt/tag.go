package bolt

import (
	"bytes"
	"context"

	"go.etcd.io/bbolt"

	"github.com/berth-registry/berth/oci"
)

// DeleteTag implements metadata.Manifests.
func (s *Store) DeleteTag(ctx context.Context, repo, tag string) error {
	return s.writer.do(ctx, 0, func(c *change) error {
		d, err := taggedDigest(c.tx, repo, tag)
		if err != nil {
			return err
		}
		var buf keyBuf
		if err := c.delete(tableTags, repoTagKey(buf[:0], repo, tag)); err != nil {
			return err
		}
		return removeName(c, repo, d, tag)
	})
}

// removeName is the other half of a tag that has left d.
func removeName(c *change, repo string, d oci.Digest, tag string) error {
	o, err := findObject(c.tx, repo, d)
	if err != nil {
		return err
	}
	var buf keyBuf
	return c.delete(tableNames, nameKey(buf[:0], o.number, tag))
}

func taggedDigest(tx *bbolt.Tx, repo, tag string) (oci.Digest, error) {
	var buf keyBuf
	v, err := must(tx, tableTags, repoTagKey(buf[:0], repo, tag))
	if err != nil {
		return "", err
	}
	return decodeTag(v)
}

// setTag points tag at d, whose number is given. What it pointed at before
// stays, untagged.
func setTag(c *change, repo, tag string, d oci.Digest, number uint64) error {
	var buf keyBuf
	if v := get(c.tx, tableTags, repoTagKey(buf[:0], repo, tag)); v != nil {
		old, err := decodeTag(v)
		if err != nil || old == d {
			return err
		}
		if err := removeName(c, repo, old, tag); err != nil {
			return err
		}
	}
	if err := c.put(tableTags, repoTagKey(buf[:0], repo, tag), encodeTag(d)); err != nil {
		return err
	}
	return c.put(tableNames, nameKey(buf[:0], number, tag), present())
}

// removeTags removes the tags that point at the manifest of the number.
func removeTags(c *change, repo string, number uint64) error {
	var names [][]byte // a cursor does not survive a deletion
	prefix := numberKey(nil, number)
	cursor := c.tx.Bucket([]byte(tableNames)).Cursor()
	for k, _ := cursor.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = cursor.Next() {
		names = append(names, bytes.Clone(k))
	}
	var buf keyBuf
	for _, k := range names {
		if err := c.delete(tableNames, k); err != nil {
			return err
		}
		if err := c.delete(tableTags, repoTagKey(buf[:0], repo, string(k[len(prefix):]))); err != nil {
			return err
		}
	}
	return nil
}
