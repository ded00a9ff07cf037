// Package proof makes keys for what is remembered about secrets: an HMAC that
// tells nothing of them without the process's own key.
package proof

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
)

// Proof stands for texts, secrets among them.
type Proof [sha256.Size]byte

// Maker makes proofs. Those of two makers have nothing in common. It may be
// used concurrently.
type Maker struct{ key []byte }

// NewMaker returns a Maker with a key of its own.
func NewMaker() Maker {
	key := make([]byte, 32)
	rand.Read(key) // never fails
	return Maker{key}
}

// Of computes the HMAC of its arguments, each with its length before it, so
// that nothing moves from one to the next.
func (m Maker) Of(fields ...string) Proof {
	mac := hmac.New(sha256.New, m.key)
	for _, f := range fields {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(f)))
		mac.Write(n[:])
		mac.Write([]byte(f))
	}
	return Proof(mac.Sum(nil))
}
