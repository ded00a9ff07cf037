package filesystem

import (
	"context"
	"iter"
	"os"
	"path/filepath"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// Walk visits the blobs, a prefix directory (1/256 of an algorithm) at a time.
// What does not lie where a blob's data lies is passed over. An error that
// concerns one directory or file is yielded, and the walk goes on with the
// next if the caller does. A root that is gone is an error, not an empty store.
func (s *Store) Walk(ctx context.Context) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		if err := s.writable(ctx); err != nil {
			yield(storage.Info{}, err)
			return
		}
		w := walk{ctx: ctx, store: s, yield: yield}
		for _, a := range algorithms {
			if !w.algorithm(a) {
				return
			}
		}
		if err := s.sameRoot(); err != nil { // what was not found may have gone meanwhile
			w.fail(err)
		}
	}
}

// walk is one visit; its methods return false when it is over.
type walk struct {
	ctx   context.Context // of the Walk that this is
	store *Store
	yield func(storage.Info, error) bool
}

func (w walk) algorithm(a oci.Algorithm) bool {
	dir := filepath.Join(w.store.blobs, string(a))
	prefixes, err := os.ReadDir(dir)
	if err != nil && !absent(err) {
		return w.fail(err)
	}
	for _, prefix := range prefixes {
		if len(prefix.Name()) != 2 || !prefix.IsDir() {
			continue
		}
		if !w.prefix(a, filepath.Join(dir, prefix.Name())) {
			return false
		}
	}
	return true
}

func (w walk) prefix(a oci.Algorithm, dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil && !absent(err) {
		return w.fail(err)
	}
	for _, entry := range entries {
		if err := w.ctx.Err(); err != nil {
			w.yield(storage.Info{}, err)
			return false
		}
		d, err := oci.ParseDigest(string(a) + ":" + entry.Name())
		if err != nil || entry.Name()[:2] != filepath.Base(dir) {
			continue
		}
		if !w.blob(d) {
			return false
		}
	}
	return true
}

func (w walk) blob(d oci.Digest) bool {
	info, err := os.Stat(w.store.place(d).data)
	if err != nil {
		return absent(err) || w.fail(err)
	}
	if !info.Mode().IsRegular() {
		return true
	}
	return w.yield(storage.Info{Key: storage.Key(d), Size: info.Size(), ModTime: info.ModTime()}, nil)
}

func (w walk) fail(err error) bool {
	return w.yield(storage.Info{}, failed("walk blobs", err))
}
