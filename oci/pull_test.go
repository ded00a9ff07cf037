package oci_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berth-registry/berth/oci"
)

func TestFileSystem(t *testing.T) {
	for mediaType, want := range map[string]bool{
		"application/vnd.oci.image.layer.v1.tar":                       true,
		"application/vnd.oci.image.layer.v1.tar+gzip":                  true,
		"application/vnd.oci.image.layer.v1.tar+zstd":                  true,
		"application/vnd.oci.image.layer.v1.tar+gzip+encrypted":        true,
		"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": true,
		"application/vnd.docker.image.rootfs.diff.tar.gzip":            true,
		"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip":    true,
		"APPLICATION/VND.OCI.IMAGE.LAYER.V1.TAR+GZIP":                  true,
		"application/x-tar":                                   true,
		"application/tar;charset=none":                        true,
		"application/vnd.cncf.helm.chart.content.v1.tar+gzip": true,
		"application/vnd.dev.cosign.simplesigning.v1+json":    false,
		"application/vnd.in-toto+json":                        false,
		"application/spdx+json":                               false,
		"application/vnd.example.start.target.guitar":         false,
		"application/octet-stream":                            false,
		"":                                                    false,
	} {
		doc := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":2},
			"layers":[{"mediaType":"application/json","digest":%[2]q,"size":2},{"mediaType":%[3]q,"digest":%[2]q,"size":2}]}`,
			oci.MediaTypeImageManifest, oci.FromBytes(oci.SHA256, nil), mediaType)
		m, err := oci.ParseManifest("", []byte(doc), oci.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.FileSystem(); got != want {
			t.Errorf("%s: %t, want %t", mediaType, got, want)
		}
	}
}

func TestSignatureTag(t *testing.T) {
	hex := strings.Repeat("0a", 32)
	for tag, want := range map[string]bool{
		"sha256-" + hex + ".sig": true, "sha256-" + hex + ".att": true, "sha256-" + hex + ".sbom": true,
		"sha256-" + hex: false, "sha256-" + hex + ".sig.sig": false, "sha256-" + hex + ".SIG": false, "sha256-" + hex + "sig": false,
		"sha256-" + strings.ToUpper(hex) + ".sig": false, "sha256-" + hex[1:] + ".sig": false, "sha512-" + hex + ".sig": false, "v1.sig": false, "": false,
	} {
		if got := oci.SignatureTag(tag); got != want {
			t.Errorf("%s: %t, want %t", tag, got, want)
		}
	}
}

func TestAttestation(t *testing.T) {
	attestation := oci.Descriptor{Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": "sha256:x"}}
	other := oci.Descriptor{Annotations: map[string]string{"vnd.docker.reference.type": "other"}}
	if !attestation.Attestation() || other.Attestation() || new(oci.Descriptor).Attestation() {
		t.Error("not told apart")
	}
}
