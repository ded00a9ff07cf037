package load

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"hash"
	"math/rand/v2"
)

// tailSize is how many bytes at the end of a blob tell it from the others of its content.
const tailSize = 16

// content is any number of blobs of one size that differ in their tails only.
type content struct {
	size   int
	prefix []byte
	state  []byte // SHA-256 of prefix, to go on from
}

// newContent makes a content; other seeds have other bytes.
func newContent(size int, seed byte) *content {
	c := &content{size: size, prefix: make([]byte, size-tailSize)}
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(c.prefix) // never fails
	h := sha256.New()
	h.Write(c.prefix)
	c.state, _ = h.(encoding.BinaryMarshaler).MarshalBinary() // nor does this
	return c
}

// appendTail appends the last bytes of blob i.
func appendTail(b []byte, i int) []byte {
	var n [tailSize / 2]byte
	for k := range n {
		n[len(n)-1-k] = byte(i >> (8 * k))
	}
	return hex.AppendEncode(b, n[:])
}

const digestPrefix = "sha256:"

// appendDigest appends the digest of blob i. h is scratch space, of SHA-256.
func (c *content) appendDigest(b []byte, h hash.Hash, i int) []byte {
	_ = h.(encoding.BinaryUnmarshaler).UnmarshalBinary(c.state)
	var tail [tailSize]byte
	h.Write(appendTail(tail[:0], i))
	var sum [sha256.Size]byte
	return hex.AppendEncode(append(b, digestPrefix...), h.Sum(sum[:0]))
}

func (c *content) digest(i int) string { return string(c.appendDigest(nil, sha256.New(), i)) }

// bytes returns blob i in one piece.
func (c *content) bytes(i int) []byte { return appendTail(append([]byte(nil), c.prefix...), i) }

// appendSum appends the digest of b.
func appendSum(dst, b []byte) []byte {
	sum := sha256.Sum256(b)
	return hex.AppendEncode(append(dst, digestPrefix...), sum[:])
}

const (
	imageType = "application/vnd.oci.image.manifest.v1+json"
	indexType = "application/vnd.oci.image.index.v1+json"
)

// image is image manifests that differ in their revisions only.
type image struct{ head, tail string }

func newImage(config *content, c int, layer *content, l int) image {
	return image{
		head: `{"schemaVersion":2,"mediaType":"` + imageType + `","config":` +
			descriptor("application/vnd.oci.image.config.v1+json", config, c) + `,"layers":[` +
			descriptor("application/vnd.oci.image.layer.v1.tar+gzip", layer, l) +
			`],"annotations":{"org.opencontainers.image.revision":"`,
		tail: `"}}`,
	}
}

// emptyIndex is indexes of nothing: a repository that is made by one request.
var emptyIndex = image{
	head: `{"schemaVersion":2,"mediaType":"` + indexType + `","manifests":[],"annotations":{"org.opencontainers.image.revision":"`,
	tail: `"}}`,
}

func descriptor(mediaType string, c *content, i int) string {
	b, err := json.Marshal(struct {
		MediaType string `json:"mediaType"`
		Digest    string `json:"digest"`
		Size      int    `json:"size"`
	}{mediaType, c.digest(i), c.size})
	if err != nil {
		panic(err) // two strings and a number
	}
	return string(b)
}

func (m image) append(b []byte, revision int) []byte {
	b = append(b, m.head...)
	b = appendTail(b, revision)
	return append(b, m.tail...)
}
