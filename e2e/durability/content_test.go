package durability

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/berth-registry/berth/e2e/internal/berth"
)

const (
	repo  = "durability/a"
	other = "durability/b"

	octets    = "application/octet-stream"
	imageType = "application/vnd.oci.image.manifest.v1+json"
)

// scopes are what the tests of this package ask a token for.
var scopes = []string{"repository:" + repo + ":*", "repository:" + other + ":*", "registry:catalog:*"}

func blobs(r, rest string) string     { return "/v2/" + r + "/blobs/" + rest }
func manifests(r, rest string) string { return "/v2/" + r + "/manifests/" + rest }

// content returns n bytes that depend on seed.
func content(n int, seed uint64) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24)}).Read(b)
	return b
}

// inPrefix returns the first of what try makes whose digest begins with two
// digits: blobs of one prefix share a directory.
func inPrefix(digits string, try func(i uint64) []byte) []byte {
	for i := uint64(0); ; i++ {
		if b := try(i); strings.HasPrefix(berth.Digest(b), "sha256:"+digits) {
			return b
		}
	}
}

// image is a manifest over blobs, the first of which is its config, with a
// note that makes it another one.
func image(note string, parts ...[]byte) []byte {
	var list []string
	for _, p := range parts {
		list = append(list, fmt.Sprintf(`{"mediaType":"application/vnd.example","digest":%q,"size":%d}`, berth.Digest(p), len(p)))
	}
	return fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[%s],"annotations":{"note":%q}}`,
		imageType, list[0], strings.Join(list[1:], ","), note)
}
