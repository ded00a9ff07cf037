package oci

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// Algorithm names a hash function as digests spell it: "sha256".
type Algorithm string

// The algorithms that the image specification registers. BLAKE3 is registered
// too, but no client sends it yet.
const (
	SHA256 Algorithm = "sha256"
	SHA512 Algorithm = "sha512"
)

// ParseAlgorithm returns the algorithm named s, or a DIGEST_INVALID error for
// one that is not supported.
func ParseAlgorithm(s string) (Algorithm, error) {
	a := Algorithm(s)
	if a.hexLen() == 0 {
		return "", ErrDigestInvalid.With("unsupported digest algorithm")
	}
	return a, nil
}

// New returns a running hash of the algorithm. The hash implements
// encoding.BinaryMarshaler, so that an upload can be continued later.
func (a Algorithm) New() hash.Hash {
	if a == SHA512 {
		return sha512.New()
	}
	return sha256.New()
}

func (a Algorithm) hexLen() int {
	switch a {
	case SHA256:
		return sha256.Size * 2
	case SHA512:
		return sha512.Size * 2
	}
	return 0
}

// Digest is a content address, "algorithm:hex", checked by ParseDigest. The
// zero value means "no digest".
type Digest string

// ParseDigest checks s against the digest grammar of the image specification
// for the registered algorithms: lower-case hex of exactly the algorithm's
// length. Its error has the code DIGEST_INVALID.
func ParseDigest(s string) (Digest, error) {
	name, encoded, found := strings.Cut(s, ":")
	if !found {
		return "", ErrDigestInvalid.With("a digest is written algorithm:hex")
	}
	a, err := ParseAlgorithm(name)
	if err != nil {
		return "", err
	}
	if len(encoded) != a.hexLen() || !isLowerHex(encoded) {
		return "", ErrDigestInvalid.With(fmt.Sprintf("a %s digest has %d lower-case hex digits", a, a.hexLen()))
	}
	return Digest(s), nil
}

// FromBytes returns the digest of b.
func FromBytes(a Algorithm, b []byte) Digest {
	h := a.New()
	h.Write(b)
	return FromHash(a, h)
}

// FromHash returns the digest of what was written to h, a hash of algorithm a.
func FromHash(a Algorithm, h hash.Hash) Digest {
	return Digest(string(a) + ":" + hex.EncodeToString(h.Sum(nil)))
}

// Algorithm returns the part before the colon.
func (d Digest) Algorithm() Algorithm {
	a, _, _ := strings.Cut(string(d), ":")
	return Algorithm(a)
}

// Hex returns the part after the colon.
func (d Digest) Hex() string {
	_, h, _ := strings.Cut(string(d), ":")
	return h
}

func (d Digest) String() string { return string(d) }

func isLowerHex(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
