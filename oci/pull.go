package oci

import "strings"

// FileSystem reports whether m has a layer that is a tar: something that can be
// unpacked and run, whatever else m says of itself.
func (m *Manifest) FileSystem() bool {
	for _, b := range m.Blobs {
		if isTar(b.MediaType) {
			return true
		}
	}
	return false
}

// isTar looks for the word in a media type: application/vnd.oci.image.layer.v1.tar+gzip,
// application/vnd.docker.image.rootfs.diff.tar.gzip, application/x-tar and all
// like them.
func isTar(mediaType string) bool {
	start := 0
	for i := 0; i <= len(mediaType); i++ {
		if i < len(mediaType) && !strings.ContainsRune("/.+-;", rune(mediaType[i])) {
			continue
		}
		if strings.EqualFold(mediaType[start:i], "tar") {
			return true
		}
		start = i + 1
	}
	return false
}

// Attestation reports whether an index lists d as a statement about another of
// its manifests, as buildkit does.
func (d *Descriptor) Attestation() bool {
	return d.Annotations["vnd.docker.reference.type"] == "attestation-manifest"
}

// SignatureTag reports whether cosign keeps something about a manifest under
// the tag: sha256-<hex>.sig, .att or .sbom.
func SignatureTag(tag string) bool {
	rest, ok := strings.CutPrefix(tag, "sha256-")
	if !ok || len(rest) < 64 {
		return false
	}
	for i := range 64 {
		if c := rest[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	switch rest[64:] {
	case ".sig", ".att", ".sbom":
		return true
	}
	return false
}
