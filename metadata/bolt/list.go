package bolt

import (
	"bytes"
	"context"
	"iter"
	"time"

	"github.com/berth-registry/berth/oci"
)

// pageSize bounds what one read transaction of a listing reads: about a page
// of the API, so that usually one is enough and little is read for nothing.
const pageSize = 128

// pageBytes bounds it for rows that are large: a referrer's annotations may
// have some MiB.
const pageBytes = 1 << 20

// Repositories implements metadata.Lister.
func (s *Store) Repositories(ctx context.Context, after string) iter.Seq2[string, error] {
	return list(ctx, s, tableRepositories, nil, []byte(after), name)
}

// Exists implements metadata.Lister.
func (s *Store) Exists(ctx context.Context, repo string) (found bool, err error) {
	r, err := s.begin(ctx)
	if err != nil {
		return false, err
	}
	defer s.end(r, &err)
	return has(r.tx, tableRepositories, []byte(repo)), nil
}

// addRepository records that something is being pushed to repo.
func addRepository(c *change, repo string, now time.Time) error {
	key := []byte(repo)
	if has(c.tx, tableRepositories, key) {
		return nil
	}
	return c.put(tableRepositories, key, appendTime(present(), now))
}

// Tags implements metadata.Lister.
func (s *Store) Tags(ctx context.Context, repo, after string) iter.Seq2[string, error] {
	return list(ctx, s, tableTags, repoKey(nil, repo), []byte(after), name)
}

// Referrers implements metadata.Lister.
func (s *Store) Referrers(ctx context.Context, repo string, d, after oci.Digest) iter.Seq2[oci.Descriptor, error] {
	var start []byte
	if after != "" {
		start = appendDigest(nil, after)
	}
	return list(ctx, s, tableReferrers, repoDigestKey(nil, repo, d), start, func(k, v []byte) (oci.Descriptor, error) {
		digest, _, ok := cutDigest(k)
		if !ok {
			return oci.Descriptor{}, errRecord
		}
		return decodeDescriptor(v, digest)
	})
}

// name is the entry of a listing that consists of keys.
func name(key, _ []byte) (string, error) { return string(key), nil }

// list visits the rows of a table whose keys begin with prefix and go on with
// something greater than after. entry makes an entry of the rest of a key and
// of its value, and copies what it keeps. Each page is a transaction of its
// own, closed before the consumer sees the page: what is written meanwhile
// behind the place reached is seen, what was yielded is not seen again.
func list[T any](ctx context.Context, s *Store, table string, prefix, after []byte, entry func(key, value []byte) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		last := bytes.Clone(after)
		for more := true; more; {
			var page []T
			var err error
			page, last, more, err = readPage(ctx, s, table, prefix, last, entry)
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
		}
	}
}

// readPage reads up to pageSize entries after the given one and tells where
// it ended and whether there may be more.
func readPage[T any](ctx context.Context, s *Store, table string, prefix, after []byte, entry func(key, value []byte) (T, error)) (page []T, last []byte, more bool, err error) {
	r, err := s.begin(ctx)
	if err != nil {
		return nil, nil, false, err
	}
	defer s.end(r, &err)
	start := append(bytes.Clone(prefix), after...)
	c := r.tx.Bucket([]byte(table)).Cursor()
	k, v := c.Seek(start)
	if bytes.Equal(k, start) {
		k, v = c.Next()
	}
	for size := 0; k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if len(page) == pageSize || size > pageBytes {
			return page, last, true, nil
		}
		size += len(k) + len(v)
		e, err := entry(k[len(prefix):], v)
		if err != nil {
			return page, nil, false, err
		}
		page = append(page, e)
		last = append(last[:0], k[len(prefix):]...)
	}
	return page, nil, false, nil
}
