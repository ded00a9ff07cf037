package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"testing"
)

// layouts is the half of a session that is alike for all clients that copy between a registry and OCI image layouts.
type layouts struct {
	source string // what prepare made
	pulled string // where pull copies to
}

func newLayouts(t *testing.T) layouts { return layouts{pulled: workDir(t)} }

func (l *layouts) prepare(t *testing.T, _ string) (text string) {
	img := newImage(t, ociTypes, "amd64")
	l.source = writeLayout(t, img.manifest, img)
	return img.text
}

// look reads the only image of the layout that was pulled.
func (l *layouts) look(t *testing.T, _ string) (digest, text string) {
	var list struct{ Manifests []struct{ Digest string } }
	must(t, json.Unmarshal([]byte(readFile(t, filepath.Join(l.pulled, "index.json"))), &list))
	equal(t, "images in the layout", len(list.Manifests), 1)
	digest = list.Manifests[0].Digest
	manifest := layoutContent(t, l.pulled, digest)
	for _, layer := range layers(t, manifest) {
		text = untar(t, layoutContent(t, l.pulled, layer), "e2e.txt", text)
	}
	return digest, text
}

// layoutContent returns a blob of a layout, whose bytes must have the digest they are kept under.
func layoutContent(t *testing.T, dir, digest string) blob {
	t.Helper()
	b := newBlob("", []byte(readFile(t, layoutPath(dir, digest))))
	equal(t, "digest of the bytes", b.digest, digest)
	return b
}

// untar returns a file of a compressed layer, or otherwise if the layer does not have it.
func untar(t *testing.T, layer blob, name, otherwise string) string {
	t.Helper()
	zr, err := gzip.NewReader(bytes.NewReader(layer.data))
	must(t, err)
	tr := tar.NewReader(zr)
	for {
		header, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return otherwise
		}
		must(t, err)
		if header.Name == name {
			data, err := io.ReadAll(tr)
			must(t, err)
			return string(data)
		}
	}
}
