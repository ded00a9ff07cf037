package bolt

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"time"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// recordVersion is the first byte of every record. A reader that knows
// version 2 still reads version 1: rows are rewritten when they change.
const recordVersion = 1

// errRecord means that a row cannot be read: the file is damaged.
var errRecord = errors.New("the database is damaged: a record cannot be read")

// present is the value of rows that are all key. bbolt keeps what it is given
// until the commit, so each row gets a slice of its own.
func present() []byte { return []byte{recordVersion} }

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendTime(dst []byte, t time.Time) []byte {
	return binary.AppendUvarint(binary.AppendVarint(dst, t.Unix()), uint64(t.Nanosecond()))
}

// decoder reads a record from its front. After the first thing that does not
// fit it returns zero values; bad says so at the end.
type decoder struct {
	b   []byte
	bad bool
}

// decode begins reading a record of the known version.
func decode(b []byte) decoder {
	if len(b) == 0 || b[0] != recordVersion {
		return decoder{bad: true}
	}
	return decoder{b: b[1:]}
}

func (r *decoder) fail() {
	r.b, r.bad = nil, true
}

func (r *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *decoder) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// bytes returns a part of the record itself, good as long as the record is.
func (r *decoder) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *decoder) string() string { return string(r.bytes()) }

func (r *decoder) time() time.Time {
	sec, nsec := r.varint(), r.uvarint()
	return time.Unix(sec, int64(nsec)).UTC()
}

// mediaType is string without an allocation for the media types of every day.
func (r *decoder) mediaType() string {
	b := r.bytes()
	switch string(b) {
	case oci.MediaTypeImageManifest:
		return oci.MediaTypeImageManifest
	case oci.MediaTypeImageIndex:
		return oci.MediaTypeImageIndex
	case oci.MediaTypeDockerManifest:
		return oci.MediaTypeDockerManifest
	case oci.MediaTypeDockerList:
		return oci.MediaTypeDockerList
	}
	return string(b)
}

func encodeBlob(b metadata.Blob) []byte {
	dst := make([]byte, 0, 16+len(b.Key))
	dst = binary.AppendUvarint(append(dst, recordVersion), uint64(b.Size))
	return appendString(dst, string(b.Key))
}

func decodeBlob(b []byte, d oci.Digest) (metadata.Blob, error) {
	r := decode(b)
	blob := metadata.Blob{Digest: d, Size: int64(r.uvarint()), Key: storage.Key(r.string())}
	if r.bad {
		return metadata.Blob{}, errRecord
	}
	return blob, nil
}

// object is whatever a repository knows of a digest.
type object struct {
	number uint64 // 0: no such object yet
	linked bool
	class  class  // of the manifest
	header []byte // of the manifest, if there is one: encodeHeader
}

// The flags of an object: is it linked, and two bits of a class.
const (
	flagLinked = 1
	classShift = 1
)

func encodeObject(o object) []byte {
	dst := make([]byte, 0, 16+len(o.header))
	dst = append(dst, recordVersion, 0)
	if o.linked {
		dst[1] = flagLinked
	}
	if o.header != nil {
		dst[1] |= byte(o.class << classShift)
	}
	return append(binary.AppendUvarint(dst, o.number), o.header...)
}

// decodeObject returns an object whose header is part of b.
func decodeObject(b []byte) (object, error) {
	if len(b) < 2 {
		return object{}, errRecord
	}
	r := decoder{b: b[2:], bad: b[0] != recordVersion}
	o := object{linked: b[1]&flagLinked != 0, class: class(b[1]>>classShift) & classMask, number: r.uvarint()}
	if r.bad || o.number == 0 {
		return object{}, errRecord
	}
	if len(r.b) > 0 {
		o.header = r.b
	}
	return o, nil
}

func encodeHeader(m *oci.Manifest, pushed time.Time) []byte {
	dst := binary.AppendUvarint(make([]byte, 0, 128), uint64(m.Size))
	dst = appendString(appendTime(dst, pushed), m.MediaType)
	if m.Subject != nil {
		dst = appendDigest(dst, m.Subject.Digest)
	}
	return dst
}

// decodeHeader returns the header and the short form of the subject, which is
// part of b.
func decodeHeader(b []byte, d oci.Digest) (m metadata.Manifest, subject []byte, err error) {
	r := decoder{b: b}
	m = metadata.Manifest{Digest: d, Size: int64(r.uvarint()), PushedAt: r.time(), MediaType: r.mediaType()}
	if r.bad {
		return metadata.Manifest{}, nil, errRecord
	}
	return m, r.b, nil
}

// encodeBytes puts the digest before the manifest: it is how a number is
// turned back into a digest.
func encodeBytes(m *oci.Manifest) []byte {
	dst := make([]byte, 0, 80+len(m.Bytes))
	return append(appendDigest(dst, m.Digest), m.Bytes...)
}

func decodeBytes(b []byte) (oci.Digest, []byte, error) {
	d, body, ok := cutDigest(b)
	if !ok {
		return "", nil, errRecord
	}
	return d, body, nil
}

func encodeTag(d oci.Digest) []byte {
	dst := make([]byte, 0, 80)
	return appendDigest(append(dst, recordVersion), d)
}

func decodeTag(b []byte) (oci.Digest, error) {
	r := decode(b)
	d, _, ok := cutDigest(r.b)
	if !ok {
		return "", errRecord
	}
	return d, nil
}

// encodeDescriptor leaves the digest out: it stands in the key.
func encodeDescriptor(d oci.Descriptor) []byte {
	dst := binary.AppendUvarint([]byte{recordVersion}, uint64(d.Size))
	dst = appendString(appendString(dst, d.MediaType), d.ArtifactType)
	names := make([]string, 0, len(d.Annotations))
	for name := range d.Annotations {
		names = append(names, name)
	}
	slices.Sort(names)
	dst = binary.AppendUvarint(dst, uint64(len(names)))
	for _, name := range names {
		dst = appendString(appendString(dst, name), d.Annotations[name])
	}
	return dst
}

func decodeDescriptor(b []byte, d oci.Digest) (oci.Descriptor, error) {
	r := decode(b)
	desc := oci.Descriptor{Digest: d, Size: int64(r.uvarint()), MediaType: r.mediaType(), ArtifactType: r.string()}
	if n := r.uvarint(); n > 0 {
		desc.Annotations = make(map[string]string, min(n, uint64(len(r.b))))
		for ; n > 0 && !r.bad; n-- {
			name := r.string()
			desc.Annotations[name] = r.string()
		}
	}
	if r.bad {
		return oci.Descriptor{}, errRecord
	}
	return desc, nil
}

// castagnoli is the checksum that processors have an instruction for.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encodeSession ends with a checksum: unlike rows, the log of sessions is not
// synced.
func encodeSession(s metadata.Session) []byte {
	dst := make([]byte, 0, 256+len(s.State))
	dst = appendString(append(dst, recordVersion), s.ID)
	dst = appendString(appendString(dst, s.Repo), s.Principal)
	dst = appendString(dst, string(s.Algorithm))
	dst = binary.AppendVarint(dst, s.Size)
	dst = appendTime(appendTime(dst, s.Started), s.Updated)
	dst = binary.AppendVarint(dst, s.Version)
	if s.State != nil {
		dst = appendString(dst, string(s.State))
	}
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst, castagnoli))
}

func decodeSession(b []byte) (metadata.Session, error) {
	body := b[:max(0, len(b)-4)]
	if len(b) < 4 || binary.BigEndian.Uint32(b[len(body):]) != crc32.Checksum(body, castagnoli) {
		return metadata.Session{}, errRecord
	}
	r := decode(body)
	s := metadata.Session{
		ID: r.string(), Repo: r.string(), Principal: r.string(), Algorithm: oci.Algorithm(r.string()),
		Size: r.varint(), Started: r.time(), Updated: r.time(), Version: r.varint(),
	}
	if len(r.b) > 0 {
		s.State = append(storage.State{}, r.bytes()...)
	}
	if r.bad {
		return metadata.Session{}, errRecord
	}
	return s, nil
}
