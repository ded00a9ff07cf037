package bolt

import (
	"context"
	"fmt"
	"io/fs"
	"iter"

	"go.etcd.io/bbolt"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
)

// Blob implements metadata.Blobs.
func (s *Store) Blob(ctx context.Context, repo string, d oci.Digest) (b metadata.Blob, err error) {
	r, err := s.begin(ctx)
	if err != nil {
		return b, err
	}
	defer s.end(r, &err)
	o, err := findObject(r.tx, repo, d)
	if err != nil {
		return b, err
	}
	if b, err = linkedBlob(r.tx, d, o); err != nil || o.header == nil {
		return b, err
	}
	m, err := loadManifest(r.tx, d, o, false)
	b.Pull = m.Pull
	return b, err
}

// linkedBlob returns the blob that o is, if it is linked.
func linkedBlob(tx *bbolt.Tx, d oci.Digest, o object) (metadata.Blob, error) {
	if !o.linked {
		return metadata.Blob{}, fs.ErrNotExist
	}
	var buf keyBuf
	v := get(tx, tableBlobs, appendDigest(buf[:0], d))
	if v == nil {
		return metadata.Blob{}, errRecord // a link without its blob
	}
	return decodeBlob(v, d)
}

// LinkBlob implements metadata.Blobs. The session ends after the commit: see
// the package comment.
func (s *Store) LinkBlob(ctx context.Context, repo string, b metadata.Blob, session string) error {
	if !valid(b.Digest) {
		return fmt.Errorf("link a blob: invalid digest %q", b.Digest)
	}
	err := s.writer.do(ctx, 0, func(c *change) error {
		var buf keyBuf
		if key := appendDigest(buf[:0], b.Digest); !has(c.tx, tableBlobs, key) {
			if err := c.put(tableBlobs, key, encodeBlob(b)); err != nil {
				return err
			}
		}
		return s.link(c, repo, b.Digest)
	})
	if err == nil && session != "" {
		_ = s.sessions.remove(session) // absent is as good, and one that cannot be removed expires
	}
	return err
}

// MountBlob implements metadata.Blobs.
func (s *Store) MountBlob(ctx context.Context, repo, from string, d oci.Digest) (metadata.Blob, error) {
	var b metadata.Blob
	err := s.writer.do(ctx, 0, func(c *change) (err error) {
		o, err := findObject(c.tx, from, d)
		if err != nil {
			return err
		}
		if b, err = linkedBlob(c.tx, d, o); err != nil {
			return err
		}
		return s.link(c, repo, d)
	})
	if err != nil {
		return metadata.Blob{}, err
	}
	return b, nil
}

func (s *Store) link(c *change, repo string, d oci.Digest) error {
	if err := addRepository(c, repo, s.now()); err != nil {
		return err
	}
	o, err := findObject(c.tx, repo, d)
	if err != nil || o.linked {
		return err
	}
	o.linked = true
	if _, err := putObject(c, repo, d, o); err != nil {
		return err
	}
	var buf keyBuf
	return c.put(tableBacklinks, digestRepoKey(buf[:0], d, repo), present())
}

// Linked implements metadata.Blobs.
func (s *Store) Linked(ctx context.Context, d oci.Digest) iter.Seq2[string, error] {
	return list(ctx, s, tableBacklinks, appendDigest(nil, d), nil, name)
}

// UnlinkBlob implements metadata.Blobs.
func (s *Store) UnlinkBlob(ctx context.Context, repo string, d oci.Digest) error {
	return s.writer.do(ctx, 0, func(c *change) error {
		o, err := findObject(c.tx, repo, d)
		switch {
		case err != nil:
			return err
		case !o.linked:
			return fs.ErrNotExist
		}
		if err := unused(c.tx, o.number, edgeBlob); err != nil {
			return err
		}
		o.linked = false
		if err := settleObject(c, repo, d, o); err != nil {
			return err
		}
		var buf keyBuf
		return c.delete(tableBacklinks, digestRepoKey(buf[:0], d, repo))
	})
}
