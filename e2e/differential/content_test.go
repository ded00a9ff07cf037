package differential

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"

	"github.com/berth-registry/berth/oci"
)

// Media types, in the words of clients.
const (
	ociImage    = oci.MediaTypeImageManifest
	ociIndex    = oci.MediaTypeImageIndex
	dockerImage = oci.MediaTypeDockerManifest
	dockerList  = oci.MediaTypeDockerList
	ociConfig   = "application/vnd.oci.image.config.v1+json"
	ociLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
	octets      = "application/octet-stream"
)

// acceptAll is the Accept header of a client that takes every manifest.
const acceptAll = ociImage + ", " + ociIndex + ", " + dockerImage + ", " + dockerList

// The blobs that steps push. Their sizes are what matters: nothing, one byte,
// a few, and more than a buffer.
var (
	empty  = []byte{}
	single = []byte("1")
	small  = []byte("the quick brown fox")
	config = []byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`)
	medium = noise(5000)
	large  = noise(70_000)
	absent = []byte("nobody ever pushes this")

	pool = [][]byte{empty, single, small, config, medium, large}
)

// noise returns n bytes, the same in every run.
func noise(n int) []byte {
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func digestOf(b []byte) string { return string(oci.FromBytes(oci.SHA256, b)) }

// document is a manifest or index as it is pushed.
type document struct {
	contentType string
	body        []byte
	shape       []string // what is special about it
}

func (d document) digest() string { return digestOf(d.body) }

// object is JSON in the making.
type object map[string]any

// null is what Go writes for a list that nobody made.
var null = json.RawMessage("null")

func descriptor(mediaType string, content []byte) object {
	return object{"mediaType": mediaType, "digest": digestOf(content), "size": len(content)}
}

func (o object) set(key string, value any) object {
	if value == nil {
		delete(o, key)
	} else {
		o[key] = value
	}
	return o
}

func (o object) document(contentType string, shape ...string) document {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "   ") // manifests are served as pushed, spaces and all
	_ = e.Encode(map[string]any(o))
	return document{contentType: contentType, body: b.Bytes(), shape: shape}
}

// image is an image manifest over blobs.
func image(mediaType string, conf []byte, layers ...[]byte) object {
	list := []object{}
	for _, l := range layers {
		list = append(list, descriptor(ociLayer, l))
	}
	return object{"schemaVersion": 2, "mediaType": mediaType, "config": descriptor(ociConfig, conf), "layers": list}
}

// index is an index or list over documents.
func index(mediaType string, children ...document) object {
	list := []object{}
	for _, c := range children {
		d := descriptor(c.contentType, c.body)
		d["platform"] = object{"architecture": "amd64", "os": "linux"}
		list = append(list, d)
	}
	return object{"schemaVersion": 2, "mediaType": mediaType, "manifests": list}
}
