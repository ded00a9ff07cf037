package cache

import "crypto/sha256"

// MaxToken is the longest token worth remembering, in bytes: those of real
// clients are a quarter of it, and their number times it is memory.
const MaxToken = 4 << 10

// Token is a token as a key of a Cache: its SHA-256. For one of at most
// MaxToken bytes it is computed without an allocation.
func Token(raw string) [sha256.Size]byte {
	var b [MaxToken]byte
	if len(raw) > len(b) {
		return sha256.Sum256([]byte(raw))
	}
	return sha256.Sum256(b[:copy(b[:], raw)])
}
