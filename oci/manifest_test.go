package oci

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const (
	blobA = emptySHA256
	blobB = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
)

func descriptor(mediaType, digest string) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":2}`, mediaType, digest)
}

var (
	config    = descriptor("application/vnd.oci.image.config.v1+json", blobB)
	layer     = descriptor("application/vnd.oci.image.layer.v1.tar+gzip", blobA)
	foreignly = descriptor("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", blobA)
	child     = descriptor(MediaTypeImageManifest, blobB)
)

func TestParseManifest(t *testing.T) {
	tests := []struct {
		name, contentType, doc string
		blobs, required, kids  int
		artifactType           string
	}{
		{"image", MediaTypeImageManifest, `{"schemaVersion":2,"mediaType":"` + MediaTypeImageManifest + `","config":` + config + `,"layers":[` + layer + `]}`, 2, 2, 0, "application/vnd.oci.image.config.v1+json"},
		{"image without mediaType", MediaTypeImageManifest, `{"schemaVersion":2,"config":` + config + `,"layers":[]}`, 1, 1, 0, "application/vnd.oci.image.config.v1+json"},
		{"image with a parameter", MediaTypeImageManifest + "; charset=utf-8", `{"schemaVersion":2,"config":` + config + `,"layers":[]}`, 1, 1, 0, "application/vnd.oci.image.config.v1+json"},
		{"docker image", MediaTypeDockerManifest, `{"schemaVersion":2,"mediaType":"` + MediaTypeDockerManifest + `","config":` + config + `,"layers":[` + layer + `]}`, 2, 2, 0, "application/vnd.oci.image.config.v1+json"},
		{"foreign layer", MediaTypeImageManifest, `{"schemaVersion":2,"config":` + config + `,"layers":[` + foreignly + `]}`, 2, 1, 0, "application/vnd.oci.image.config.v1+json"},
		{"artifact", MediaTypeImageManifest, `{"schemaVersion":2,"artifactType":"x/y","config":` + config + `,"layers":[]}`, 1, 1, 0, "x/y"},
		{"no layers", MediaTypeImageManifest, `{"schemaVersion":2,"config":` + config + `}`, 1, 1, 0, "application/vnd.oci.image.config.v1+json"},
		{"null layers", MediaTypeImageManifest, `{"schemaVersion":2,"config":` + config + `,"layers":null}`, 1, 1, 0, "application/vnd.oci.image.config.v1+json"},
		{"null manifests", MediaTypeImageIndex, `{"schemaVersion":2,"manifests":null}`, 0, 0, 0, ""},
		{"index", MediaTypeImageIndex, `{"schemaVersion":2,"mediaType":"` + MediaTypeImageIndex + `","manifests":[` + child + `]}`, 0, 0, 1, ""},
		{"empty index", MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[]}`, 0, 0, 0, ""},
		{"index with subject", MediaTypeImageIndex, `{"schemaVersion":2,"artifactType":"a/b","manifests":[],"subject":` + child + `}`, 0, 0, 0, "a/b"},
		{"manifest list", MediaTypeDockerList, `{"schemaVersion":2,"manifests":[` + child + `]}`, 0, 0, 1, ""},
		{"old artifact manifest", MediaTypeArtifactManifest, `{"mediaType":"` + MediaTypeArtifactManifest + `","artifactType":"a/b","blobs":[` + layer + `]}`, 1, 1, 0, "a/b"},
		{"media type of the document", "", `{"schemaVersion":2,"mediaType":"` + MediaTypeImageIndex + `","manifests":[]}`, 0, 0, 0, ""},
		{"application/json", "application/json", `{"schemaVersion":2,"mediaType":"` + MediaTypeImageIndex + `","manifests":[]}`, 0, 0, 0, ""},
		{"unknown members", MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[],"zzz":{"a":[1,2]}}`, 0, 0, 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, err := ParseManifest(test.contentType, []byte(test.doc), SHA256)
			if err != nil {
				t.Fatal(err)
			}
			if len(m.Blobs) != test.blobs || len(m.Required()) != test.required || len(m.Manifests) != test.kids || m.ArtifactType != test.artifactType {
				t.Errorf("got %d blobs, %d required, %d children, artifact type %q", len(m.Blobs), len(m.Required()), len(m.Manifests), m.ArtifactType)
			}
			if m.Digest != FromBytes(SHA256, []byte(test.doc)) || m.Size != int64(len(test.doc)) || string(m.Bytes) != test.doc {
				t.Error("the manifest does not describe its bytes")
			}
		})
	}
}

func TestParseManifestRefuses(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)
	for name, test := range map[string]struct{ contentType, doc string }{
		"no JSON":                      {MediaTypeImageManifest, "hello"},
		"nothing":                      {MediaTypeImageManifest, ""},
		"a list":                       {MediaTypeImageManifest, "[]"},
		"null":                         {MediaTypeImageManifest, "null"},
		"two documents":                {MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[]}{}`},
		"trailing text":                {MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[]}x`},
		"deep":                         {MediaTypeImageIndex, deep},
		"image and index":              {MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[],"layers":[],"config":` + config + `}`},
		"index with config":            {MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[],"config":` + config + `}`},
		"index as image":               {MediaTypeImageManifest, `{"schemaVersion":2,"manifests":[]}`},
		"image as index":               {MediaTypeImageIndex, `{"schemaVersion":2,"layers":[],"config":` + config + `}`},
		"image and index, upper case":  {MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[],"Layers":[],"CONFIG":` + config + `}`},
		"said twice":                   {MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[],"manifests":[` + child + `]}`},
		"said twice, cased":            {MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[],"subject":null,"Subject":` + child + `}`},
		"other mediaType":              {MediaTypeImageManifest, `{"schemaVersion":2,"mediaType":"` + MediaTypeDockerManifest + `","layers":[],"config":` + config + `}`},
		"no media type":                {"", `{"schemaVersion":2,"layers":[],"config":` + config + `}`},
		"no config":                    {MediaTypeImageManifest, `{"schemaVersion":2,"layers":[]}`},
		"schema 1":                     {"application/vnd.docker.distribution.manifest.v1+prettyjws", `{"schemaVersion":1,"name":"a","fsLayers":[]}`},
		"schema 1, unnamed":            {MediaTypeImageManifest, `{"schemaVersion":1,"fsLayers":[]}`},
		"no schemaVersion":             {MediaTypeImageManifest, `{"layers":[],"config":` + config + `}`},
		"bad digest":                   {MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[` + descriptor("a/b", "sha256:../../etc/passwd") + `]}`},
		"no digest":                    {MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[{}]}`},
		"negative size":                {MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[{"digest":"` + blobA + `","size":-1}]}`},
		"bad subject":                  {MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[],"subject":{"digest":"x"}}`},
		"unreadable Content-Type":      {"a/b/c;;;", `{"schemaVersion":2,"manifests":[]}`},
		"a media type that is no type": {"", `{"schemaVersion":2,"mediaType":"bad/type\r\nX: y","manifests":[]}`},
	} {
		if m, err := ParseManifest(test.contentType, []byte(test.doc), SHA256); !errors.Is(err, ErrManifestInvalid) {
			t.Errorf("%s: %+v, %v, want MANIFEST_INVALID", name, m, err)
		}
	}
}

func FuzzManifest(f *testing.F) {
	f.Add(MediaTypeImageManifest, []byte(`{"schemaVersion":2,"config":`+config+`,"layers":[`+layer+`]}`))
	f.Add(MediaTypeImageIndex, []byte(`{"schemaVersion":2,"manifests":[`+child+`],"subject":`+child+`}`))
	f.Add("", []byte(`{"schemaVersion":2,"mediaType":"a/b","manifests":[]}`))
	f.Add(MediaTypeDockerList, []byte(`{"schemaVersion":2,"manifests":null,"layers":null}`))
	f.Fuzz(func(t *testing.T, contentType string, doc []byte) {
		m, err := ParseManifest(contentType, doc, SHA256)
		if err != nil {
			if known := (*Error)(nil); !errors.As(err, &known) {
				t.Fatalf("an error for nobody: %v", err)
			}
			return
		}
		for _, list := range [][]Descriptor{m.Blobs, m.Manifests} {
			for _, d := range list {
				if _, err := ParseDigest(string(d.Digest)); err != nil {
					t.Fatalf("an invalid digest got in: %q", d.Digest)
				}
			}
		}
		if strings.ContainsAny(m.MediaType, "\r\n\x00") || len(m.Blobs) > 0 && len(m.Manifests) > 0 {
			t.Fatalf("accepted %+v", m)
		}
		if again, err := ParseManifest(m.MediaType, m.Bytes, SHA256); err != nil || again.Digest != m.Digest {
			t.Fatalf("what was stored does not parse again: %v", err)
		}
	})
}
