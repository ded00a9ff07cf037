package server_test

import (
	"fmt"
	"strings"

	"github.com/berth-registry/berth/oci"
)

// Media types of what manifests hold.
const (
	configType      = "application/vnd.oci.image.config.v1+json"
	layerType       = "application/vnd.oci.image.layer.v1.tar+gzip"
	foreignType     = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
	dockerConfig    = "application/vnd.docker.container.image.v1+json"
	dockerLayer     = "application/vnd.docker.image.rootfs.diff.tar.gzip"
	emptyType       = "application/vnd.oci.empty.v1+json"
	imageType       = oci.MediaTypeImageManifest
	indexType       = oci.MediaTypeImageIndex
	dockerType      = oci.MediaTypeDockerManifest
	dockerListType  = oci.MediaTypeDockerList
	artifactType    = oci.MediaTypeArtifactManifest
	helmType        = "application/vnd.cncf.helm.config.v1+json"
	sbomType        = "application/spdx+json"
	signatureType   = "application/vnd.dev.cosign.artifact.sig.v1+json"
	unknownManifest = "application/vnd.example.thing.v1+json"
)

// descriptor describes content as a client does.
func descriptor(mediaType, content string) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, mediaType, digestOf(content), len(content))
}

func descriptors(mediaType string, contents []string) string {
	list := make([]string, len(contents))
	for i, c := range contents {
		list[i] = descriptor(mediaType, c)
	}
	return "[" + strings.Join(list, ",") + "]"
}

// image is an OCI image of a config and layers, given by their content.
func image(config string, layers ...string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":%s}`,
		imageType, descriptor(configType, config), descriptors(layerType, layers))
}

// dockerImage is the same in Docker's words.
func dockerImage(config string, layers ...string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":%s}`,
		dockerType, descriptor(dockerConfig, config), descriptors(dockerLayer, layers))
}

// index is an OCI index of manifests, given by their content.
func index(children ...string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":%s}`, indexType, descriptors(imageType, children))
}

// artifact is an OCI image that refers to a subject. note makes it differ
// from others of its kind.
func artifact(kind, subject, note string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"artifactType":%q,"config":%s,"layers":[],"subject":%s,"annotations":{"note":%q}}`,
		imageType, kind, descriptor(emptyType, "{}"), descriptor(imageType, subject), note)
}
