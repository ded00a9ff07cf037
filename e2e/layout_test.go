package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeLayout writes an OCI image layout whose only entry is top, tagged "e2e", and returns its directory.
func writeLayout(t *testing.T, top blob, images ...image) string {
	t.Helper()
	dir := workDir(t)
	entry := top.descriptor()
	entry["annotations"] = map[string]string{"org.opencontainers.image.ref.name": "e2e"}
	layoutFile(t, dir, "oci-layout", map[string]string{"imageLayoutVersion": "1.0.0"})
	layoutFile(t, dir, "index.json", map[string]any{"schemaVersion": 2, "mediaType": ociTypes.index, "manifests": []any{entry}})
	layoutBlob(t, dir, top)
	for _, img := range images {
		layoutBlob(t, dir, img.manifest)
		for _, b := range img.blobs() {
			layoutBlob(t, dir, b)
		}
	}
	return dir
}

func layoutFile(t *testing.T, dir, name string, doc any) {
	t.Helper()
	data, err := json.Marshal(doc)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
}

// layoutPath is where a layout keeps a digest.
func layoutPath(dir, digest string) string {
	return filepath.Join(dir, "blobs", strings.Replace(digest, ":", "/", 1))
}

func layoutBlob(t *testing.T, dir string, b blob) {
	t.Helper()
	path := layoutPath(dir, b.digest)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, b.data, 0o644))
}

// sameLayout fails unless the layout in dir lists top, and holds each byte of images.
func sameLayout(t *testing.T, dir string, top blob, images ...image) {
	t.Helper()
	list := readFile(t, filepath.Join(dir, "index.json"))
	var entries struct {
		Manifests []struct{ Digest, MediaType string }
	}
	must(t, json.Unmarshal([]byte(list), &entries))
	mediaType := "nothing"
	for _, entry := range entries.Manifests {
		if entry.Digest == top.digest {
			mediaType = entry.MediaType
		}
	}
	equal(t, "media type of "+top.digest+" in "+list, mediaType, top.mediaType)
	sameBlob(t, dir, top)
	for _, img := range images {
		sameBlob(t, dir, img.manifest)
		for _, b := range img.blobs() {
			sameBlob(t, dir, b)
		}
	}
}

func sameBlob(t *testing.T, dir string, b blob) {
	t.Helper()
	data, err := os.ReadFile(layoutPath(dir, b.digest))
	if err != nil {
		t.Errorf("after the round trip: %v", err)
		return
	}
	if string(data) != string(b.data) {
		t.Errorf("%s (%s) came back as %d bytes, want %d", b.digest, b.mediaType, len(data), len(b.data))
	}
}
