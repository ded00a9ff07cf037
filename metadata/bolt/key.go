package bolt

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/berth-registry/berth/oci"
)

const (
	tableMeta         = "meta"
	tableRepositories = "repositories"
	tableBlobs        = "blobs"
	tableBacklinks    = "backlinks"
	tableObjects      = "objects"
	tableBytes        = "bytes"
	tableEdges        = "edges"
	tableNames        = "names"
	tableTags         = "tags"
	tableReferrers    = "referrers"
	tableUsers        = "users"
	tableRobots       = "robots"
	tableTokens       = "tokens"
	tableOwned        = "owned"
	tableLimits       = "limits"
	tableUsage        = "usage"
)

// tables are those that schema 1 began with.
func tables() []string {
	return []string{
		tableMeta, tableRepositories, tableBlobs, tableBacklinks, tableObjects, tableBytes,
		tableEdges, tableNames, tableTags, tableReferrers, tableUsers,
	}
}

// laterTables came to schema 1 without changing it: Open adds those that a
// database has not, and an older berth never looks at them.
func laterTables() []string {
	return []string{tableRobots, tableTokens, tableOwned, tableLimits, tableUsage}
}

// keyBuf has room for the longest key (a repository and two SHA-512 digests),
// so that building one allocates nothing.
type keyBuf [512]byte

// Algorithms in keys, ordered like their names. BLAKE3 would come before both.
const (
	noDigest   = 0x00
	algoSHA256 = 0x20
	algoSHA512 = 0x50
)

// appendDigest appends d in its short form. What is no digest becomes a lone
// zero byte, which no row has: writers call valid first.
func appendDigest(dst []byte, d oci.Digest) []byte {
	const name = len("sha256:") // as long as "sha512:"
	algo, n := byte(noDigest), 0
	if len(d) > name {
		switch d[:name] {
		case "sha256:":
			algo, n = algoSHA256, 64
		case "sha512:":
			algo, n = algoSHA512, 128
		}
	}
	if n == 0 || len(d) != name+n {
		return append(dst, noDigest)
	}
	start := len(dst)
	dst = append(dst, algo)
	for i := name; i < len(d); i += 2 {
		hi, lo := nibble(d[i]), nibble(d[i+1])
		if hi > 15 || lo > 15 {
			return append(dst[:start], noDigest)
		}
		dst = append(dst, hi<<4|lo)
	}
	return dst
}

func nibble(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}

// valid reports whether d has a short form.
func valid(d oci.Digest) bool {
	var buf keyBuf
	return len(appendDigest(buf[:0], d)) > 1
}

// cutDigest reads the short form that b begins with. ok is false if there is none.
func cutDigest(b []byte) (d oci.Digest, rest []byte, ok bool) {
	if len(b) == 0 {
		return "", nil, false
	}
	name, n := "", 0
	switch b[0] {
	case algoSHA256:
		name, n = "sha256:", 32
	case algoSHA512:
		name, n = "sha512:", 64
	}
	if n == 0 || len(b) < 1+n {
		return "", nil, false
	}
	var buf [len("sha512:") + 128]byte
	text := hex.AppendEncode(append(buf[:0], name...), b[1:1+n])
	return oci.Digest(text), b[1+n:], true
}

func repoKey(dst []byte, repo string) []byte {
	return append(append(dst, repo...), 0)
}

func repoDigestKey(dst []byte, repo string, d oci.Digest) []byte {
	return appendDigest(repoKey(dst, repo), d)
}

func repoTagKey(dst []byte, repo, tag string) []byte {
	return append(repoKey(dst, repo), tag...)
}

func digestRepoKey(dst []byte, d oci.Digest, repo string) []byte {
	return append(appendDigest(dst, d), repo...)
}

func referrerKey(dst []byte, repo string, subject, d oci.Digest) []byte {
	return appendDigest(repoDigestKey(dst, repo, subject), d)
}

func ownedKey(dst []byte, owner, id string) []byte {
	return append(append(append(dst, owner...), 0), id...)
}

func numberKey(dst []byte, number uint64) []byte {
	return binary.BigEndian.AppendUint64(dst, number)
}

func edgeKey(dst []byte, child, parent uint64) []byte {
	return numberKey(numberKey(dst, child), parent)
}

func nameKey(dst []byte, number uint64, tag string) []byte {
	return append(numberKey(dst, number), tag...)
}
