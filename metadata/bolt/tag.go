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
		return c.delete(tableDigestTags, digestTagKey(buf[:0], repo, d, tag))
	})
}

func taggedDigest(tx *bbolt.Tx, repo, tag string) (oci.Digest, error) {
	var buf keyBuf
	v, err := must(tx, tableTags, repoTagKey(buf[:0], repo, tag))
	if err != nil {
		return "", err
	}
	return decodeTag(v)
}

// setTag points tag at d. What it pointed at before stays, untagged.
func setTag(c *change, repo, tag string, d oci.Digest) error {
	var buf keyBuf
	if v := get(c.tx, tableTags, repoTagKey(buf[:0], repo, tag)); v != nil {
		old, err := decodeTag(v)
		if err != nil || old == d {
			return err
		}
		if err := c.delete(tableDigestTags, digestTagKey(buf[:0], repo, old, tag)); err != nil {
			return err
		}
	}
	if err := c.put(tableTags, repoTagKey(buf[:0], repo, tag), encodeTag(d)); err != nil {
		return err
	}
	return c.put(tableDigestTags, digestTagKey(buf[:0], repo, d, tag), present())
}

// tagRows collects the rows of the tags that point at d.
func tagRows(tx *bbolt.Tx, repo string, d oci.Digest) []row {
	var rows []row
	prefix := repoDigestKey(nil, repo, d)
	c := tx.Bucket([]byte(tableDigestTags)).Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		tag := string(k[len(prefix):])
		rows = append(rows, row{tableDigestTags, bytes.Clone(k)}, row{tableTags, repoTagKey(nil, repo, tag)})
	}
	return rows
}
