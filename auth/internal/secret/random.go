package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
)

// letters are those of secrets that people copy: no upper case, no 0 and 1.
var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Random makes up n bytes and returns them as text of lower-case letters and
// digits, eight for five bytes.
func Random(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return letters.EncodeToString(b)
}

// IsRandom reports whether s has the form of what Random returns for n bytes.
func IsRandom(s string, n int) bool {
	b, err := letters.DecodeString(s)
	return err == nil && len(b) == n && letters.EncodeToString(b) == s // the decoder passes over line ends
}

// Sum is what is stored of a secret that Random made: it has so many bits that
// nothing slower is needed.
func Sum(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

// Fits reports whether sum is that of s, in a time that tells nothing of it.
// No sum at all fits nothing.
func Fits(sum []byte, s string) bool {
	return subtle.ConstantTimeCompare(sum, Sum(s)) == 1
}
