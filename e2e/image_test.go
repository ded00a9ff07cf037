package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
)

// mediaTypes is one of the two families of documents and layers.
type mediaTypes struct{ manifest, index, config, layer string }

var ociTypes = mediaTypes{
	manifest: "application/vnd.oci.image.manifest.v1+json",
	index:    "application/vnd.oci.image.index.v1+json",
	config:   "application/vnd.oci.image.config.v1+json",
	layer:    "application/vnd.oci.image.layer.v1.tar+gzip",
}

var dockerTypes = mediaTypes{
	manifest: "application/vnd.docker.distribution.manifest.v2+json",
	index:    "application/vnd.docker.distribution.manifest.list.v2+json",
	config:   "application/vnd.docker.container.image.v1+json",
	layer:    "application/vnd.docker.image.rootfs.diff.tar.gzip",
}

// blob is any content with its descriptor.
type blob struct {
	mediaType, digest string
	data              []byte
}

// image is a manifest with what it needs. text is the content of its file /e2e.txt.
type image struct {
	manifest, config blob
	layers           []blob
	text             string
}

// index is a multi-platform image.
type index struct {
	manifest blob
	images   []image
}

func newBlob(mediaType string, data []byte) blob {
	return blob{mediaType, fmt.Sprintf("sha256:%x", sha256.Sum256(data)), data}
}

func newJSON(t *testing.T, mediaType string, doc map[string]any) blob {
	t.Helper()
	data, err := json.Marshal(doc)
	must(t, err)
	return newBlob(mediaType, data)
}

func (b blob) descriptor() map[string]any {
	return map[string]any{"mediaType": b.mediaType, "digest": b.digest, "size": len(b.data)}
}

// newImage returns an image of two layers that no other image shares.
func newImage(t *testing.T, types mediaTypes, arch string) image {
	t.Helper()
	text := rand.Text() + " for " + arch
	base, baseID := newLayer(t, types.layer, file{"base.txt", 0o644, rand.Text()})
	top, topID := newLayer(t, types.layer, file{"e2e.txt", 0o644, text})
	img := assemble(t, types, arch, []string{"/none"}, []blob{base, top}, []string{baseID, topID})
	img.text = text
	return img
}

// newRunnable returns an image for this machine that prints its text when it runs.
func newRunnable(t *testing.T) image {
	t.Helper()
	text := rand.Text()
	base, baseID := newLayer(t, ociTypes.layer, file{"bin/busybox", 0o755, readFile(t, busybox(t))})
	top, topID := newLayer(t, ociTypes.layer, file{"e2e.txt", 0o644, text})
	img := assemble(t, ociTypes, runtime.GOARCH, []string{"/bin/busybox", "cat", "/e2e.txt"}, []blob{base, top}, []string{baseID, topID})
	img.text = text
	return img
}

// assemble makes an image of two layers, base and top.
func assemble(t *testing.T, types mediaTypes, arch string, cmd []string, layers []blob, diffIDs []string) image {
	t.Helper()
	config := newJSON(t, types.config, map[string]any{
		"architecture": arch, "os": "linux", "config": map[string]any{"Cmd": cmd},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": diffIDs},
		"history": []any{map[string]string{"created_by": "base"}, map[string]string{"created_by": "top"}},
	})
	manifest := newJSON(t, types.manifest, map[string]any{
		"schemaVersion": 2, "mediaType": types.manifest, "config": config.descriptor(),
		"layers": []any{layers[0].descriptor(), layers[1].descriptor()},
	})
	return image{manifest: manifest, config: config, layers: layers}
}

// file is the only entry of a layer.
type file struct {
	name string
	mode int64
	data string
}

// newLayer returns a compressed layer of one file, and the digest of the uncompressed one.
func newLayer(t *testing.T, mediaType string, f file) (blob, string) {
	t.Helper()
	var plain, packed bytes.Buffer
	tw := tar.NewWriter(&plain)
	must(t, tw.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.data))}))
	_, err := tw.Write([]byte(f.data))
	must(t, err)
	must(t, tw.Close())
	zw := gzip.NewWriter(&packed)
	_, err = zw.Write(plain.Bytes())
	must(t, err)
	must(t, zw.Close())
	return newBlob(mediaType, packed.Bytes()), newBlob("", plain.Bytes()).digest
}

func newIndex(t *testing.T, types mediaTypes, arches ...string) index {
	t.Helper()
	var idx index
	var children []any
	for _, arch := range arches {
		img := newImage(t, types, arch)
		child := img.manifest.descriptor()
		child["platform"] = map[string]any{"os": "linux", "architecture": arch}
		idx.images = append(idx.images, img)
		children = append(children, child)
	}
	idx.manifest = newJSON(t, types.index, map[string]any{
		"schemaVersion": 2, "mediaType": types.index, "manifests": children,
	})
	return idx
}

// newReferrer returns an artifact of one file that describes subject.
func newReferrer(t *testing.T, subject blob, artifactType string) image {
	t.Helper()
	ref := image{config: newBlob("application/vnd.oci.empty.v1+json", []byte("{}")), text: rand.Text()}
	ref.layers = []blob{newBlob("text/plain", []byte(ref.text))}
	ref.manifest = newJSON(t, ociTypes.manifest, map[string]any{
		"schemaVersion": 2, "mediaType": ociTypes.manifest, "artifactType": artifactType,
		"config": ref.config.descriptor(), "layers": []any{ref.layers[0].descriptor()}, "subject": subject.descriptor(),
	})
	return ref
}

// blobs returns config and layers.
func (i image) blobs() []blob { return append([]blob{i.config}, i.layers...) }
