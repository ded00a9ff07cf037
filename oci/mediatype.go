package oci

import "strings"

// Media types of manifests. Any other media type is accepted as an artifact
// manifest as long as the document has the shape of one of these.
const (
	MediaTypeImageManifest    = "application/vnd.oci.image.manifest.v1+json"
	MediaTypeImageIndex       = "application/vnd.oci.image.index.v1+json"
	MediaTypeDockerManifest   = "application/vnd.docker.distribution.manifest.v2+json"
	MediaTypeDockerList       = "application/vnd.docker.distribution.manifest.list.v2+json"
	MediaTypeArtifactManifest = "application/vnd.oci.artifact.manifest.v1+json" // withdrawn before OCI 1.1, still pushed by old clients
	mediaTypeDockerSchema1    = "application/vnd.docker.distribution.manifest.v1+json"
	mediaTypeDockerSignedV1   = "application/vnd.docker.distribution.manifest.v1+prettyjws"
)

// foreign reports whether layers of the media type may be absent from the
// registry: they are fetched from their URLs, which berth never follows
// (image-spec, "Non-Distributable Layers").
func foreign(mediaType string) bool {
	return strings.HasPrefix(mediaType, "application/vnd.oci.image.layer.nondistributable.v1.tar") ||
		strings.HasPrefix(mediaType, "application/vnd.docker.image.rootfs.foreign.diff.tar")
}

// validMediaType reports whether s is application/subtype by RFC 6838, section
// 4.2. It becomes a header of every answer, and text/html is no manifest.
func validMediaType(s string) bool {
	kind, subtype, found := strings.Cut(s, "/")
	return found && strings.EqualFold(kind, "application") && validRestrictedName(subtype)
}

func validRestrictedName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !isAlnum(c) && (c < 'A' || c > 'Z') && !strings.ContainsRune("!#$&-^_.+", rune(c)) {
			return false
		}
	}
	return s != "" && len(s) <= 127
}
