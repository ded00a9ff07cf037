package bolt

import (
	"bytes"

	"go.etcd.io/bbolt"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
)

// class is what a manifest says of itself about pulls: enough to tell, for all
// that are pulled often, from the row that is read anyway.
type class uint8

const (
	classUnknown class = iota // the row is of a version that did not tell
	classIndex
	classFileSystem // has a layer that is a tar
	classOther
	classMask class = 3
)

func classOf(m *oci.Manifest) class {
	switch {
	case len(m.Manifests) > 0 || m.Index():
		return classIndex
	case m.FileSystem():
		return classFileSystem
	}
	return classOther
}

// pullOf returns what asking for the manifest that o is means. header and
// subject are what decodeHeader returned.
func pullOf(tx *bbolt.Tx, header metadata.Manifest, subject []byte, o object) (metadata.Pull, error) {
	if o.class == classUnknown {
		var err error
		if o.class, err = readClass(tx, header, o); err != nil {
			return 0, err
		}
	}
	switch {
	case o.class == classIndex:
		return metadata.FreeManifest, nil
	case o.class == classFileSystem:
		return metadata.CountedManifest, nil
	case len(subject) > 0 || attested(tx, o.number) || signed(tx, o.number):
		return metadata.FreeManifest, nil
	}
	return metadata.CountedManifest, nil
}

// readClass parses a manifest. One that this version cannot parse holds, for
// all it knows, no file system.
func readClass(tx *bbolt.Tx, header metadata.Manifest, o object) (class, error) {
	var buf keyBuf
	_, body, err := decodeBytes(get(tx, tableBytes, numberKey(buf[:0], o.number)))
	if err != nil {
		return 0, err
	}
	m, err := oci.ParseManifest(header.MediaType, bytes.Clone(body), header.Digest.Algorithm())
	if err != nil {
		return classOther, nil
	}
	return classOf(m), nil
}

// attested reports whether an index lists the manifest as an attestation.
func attested(tx *bbolt.Tx, number uint64) bool {
	var buf keyBuf
	prefix := numberKey(buf[:0], number)
	c := tx.Bucket([]byte(tableEdges)).Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if len(v) == 1 && v[0] == edgeAttestation {
			return true
		}
	}
	return false
}

// signed reports whether the manifest has a tag of cosign's.
func signed(tx *bbolt.Tx, number uint64) bool {
	var buf keyBuf
	prefix := append(numberKey(buf[:0], number), "sha256-"...)
	c := tx.Bucket([]byte(tableNames)).Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if oci.SignatureTag(string(k[8:])) {
			return true
		}
	}
	return false
}
