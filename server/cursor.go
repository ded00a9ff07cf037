package server

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/berth-registry/berth/oci"
)

// cursors seal names that the client may carry but not read: where a page of
// what it may see ended among what it may not.
type cursors struct{ aead cipher.AEAD }

// sealed marks a cursor; no repository name begins with it.
const sealed = "~"

// newCursors makes a key of its own: a cursor does not outlive the process,
// and a client that carries one over begins its listing again.
func newCursors() *cursors {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, crypto/rand
	block, err := aes.NewCipher(key)
	if err != nil {
		return &cursors{} // a 32-byte key is never refused
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return &cursors{}
	}
	return &cursors{aead: aead}
}

func (c *cursors) seal(name string) string {
	padded := make([]byte, max(oci.MaxRepository, len(name))) // its length says nothing of the name's
	copy(padded, name)
	return sealed + base64.RawURLEncoding.EncodeToString(c.aead.Seal(nil, nil, padded, nil))
}

// open returns the name in a cursor; a plain name is its own cursor.
func (c *cursors) open(s string) (string, error) {
	text, ok := strings.CutPrefix(s, sealed)
	if !ok {
		return s, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", err
	}
	if len(b) < c.aead.Overhead() {
		return "", errors.New("cursor too short")
	}
	name, err := c.aead.Open(nil, nil, b, nil)
	return strings.TrimRight(string(name), "\x00"), err
}
