package filesystem

import (
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// The algorithms that have a directory, at the index that stands for them in a
// State: append only.
var algorithms = [...]oci.Algorithm{oci.SHA256, oci.SHA512}

// place is where the blob of one digest lies: data in dir in prefix in alg.
type place struct {
	alg, prefix, dir, data string
}

// place never sees a string from outside: every part of its paths is an
// algorithm's name or hex digits, so that none of them leads out of the tree.
func (s *Store) place(d oci.Digest) place {
	digits := d.Hex()
	alg := filepath.Join(s.blobs, string(d.Algorithm()))
	prefix := filepath.Join(alg, digits[:2])
	dir := filepath.Join(prefix, digits)
	return place{alg: alg, prefix: prefix, dir: dir, data: filepath.Join(dir, "data")}
}

// locate is place for a key. fs.ErrInvalid: no store made this key.
func (s *Store) locate(key storage.Key) (oci.Digest, place, error) {
	d, err := oci.ParseDigest(string(key))
	if err != nil {
		return "", place{}, fmt.Errorf("storage key: %w: %w", fs.ErrInvalid, err)
	}
	return d, s.place(d), nil
}

func (s *Store) uploadPath(id uploadID) string {
	return filepath.Join(s.uploads, id.String())
}
