package oci

import (
	"encoding/json"
	"errors"
	"strings"
)

// Descriptor points at content (image-spec, "Descriptors"). Members that
// berth never looks at are not decoded: manifests are served from their bytes.
type Descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       Digest            `json:"digest"`
	Size         int64             `json:"size"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}

// Manifest is a manifest or index, parsed once when it is pushed. Bytes are
// exactly what was pushed; Descriptor describes them.
type Manifest struct {
	Descriptor              // MediaType, Digest, Size; ArtifactType and Annotations as a referrers listing shows them
	Bytes      []byte       // as pushed
	Blobs      []Descriptor // config and layers that must be in the repository
	Manifests  []Descriptor // children of an index
	Subject    *Descriptor  // what this manifest refers to, or nil
}

// Index reports whether m lists other manifests.
func (m *Manifest) Index() bool {
	return m.MediaType == MediaTypeImageIndex || m.MediaType == MediaTypeDockerList
}

// document is the union of every manifest type. Pointers, and
// descriptors, tell what is there from what is not.
type document struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        *Descriptor       `json:"config"`
	Layers        descriptors       `json:"layers"`
	Blobs         descriptors       `json:"blobs"`
	Manifests     descriptors       `json:"manifests"`
	FSLayers      json.RawMessage   `json:"fsLayers"`
	Subject       *Descriptor       `json:"subject"`
	Annotations   map[string]string `json:"annotations"`
}

// ParseManifest reads b as it was pushed with a Content-Type. The digest is
// of algorithm a. Whatever is wrong with the document is an error with the
// code MANIFEST_INVALID.
//
// A document that could be read both as an image and as an index is refused
// (CVE-2021-41190), and so is one whose mediaType differs from the
// Content-Type; Docker schema 1 is refused by name.
func ParseManifest(contentType string, b []byte, a Algorithm) (*Manifest, error) {
	doc, err := decode(b)
	if err != nil {
		return nil, err
	}
	mediaType, err := mediaTypeOf(contentType, doc)
	if err != nil {
		return nil, err
	}
	m := &Manifest{
		Descriptor: Descriptor{
			MediaType:    mediaType,
			Digest:       FromBytes(a, b),
			Size:         int64(len(b)),
			ArtifactType: doc.ArtifactType,
			Annotations:  doc.Annotations,
		},
		Bytes:   b,
		Subject: doc.Subject,
	}
	if err := m.fill(doc); err != nil {
		return nil, err
	}
	return m, m.check()
}

func decode(b []byte) (*document, error) {
	if err := unambiguous(b); err != nil {
		return nil, err
	}
	doc := new(document)
	if err := json.Unmarshal(b, doc); err != nil {
		if known := (*Error)(nil); errors.As(err, &known) {
			return nil, known
		}
		return nil, invalid("the document is not JSON of a manifest")
	}
	return doc, nil
}

func mediaTypeOf(contentType string, doc *document) (string, error) {
	contentType, _, _ = strings.Cut(contentType, ";")
	contentType = strings.TrimSpace(contentType)
	switch {
	case doc.SchemaVersion == 1, doc.FSLayers != nil, contentType == mediaTypeDockerSchema1, contentType == mediaTypeDockerSignedV1:
		return "", invalid("Docker image manifest version 2, schema 1 is not supported: push the image again with a newer client")
	case contentType == "application/json":
		contentType = "" // what curl users send; the document must speak for itself
	}
	switch {
	case contentType != "" && !validMediaType(contentType), doc.MediaType != "" && !validMediaType(doc.MediaType):
		return "", invalid("the media type is none of a manifest: application/...")
	case doc.MediaType != "" && contentType != "" && !strings.EqualFold(doc.MediaType, contentType):
		return "", invalid("the document's mediaType differs from the Content-Type")
	case doc.MediaType != "":
		return doc.MediaType, nil
	case contentType != "":
		return contentType, nil
	}
	return "", invalid("the manifest has no media type: set Content-Type")
}

// fill decides by shape and media type what the document is and collects what
// it references. A list that is null is empty, because clients in Go write nil
// slices so, and so are layers that are absent: such images exist
// (image-spec#1016). An index must have its list.
func (m *Manifest) fill(doc *document) error {
	index := doc.Manifests.items != nil || m.Index()
	image := doc.Config != nil || doc.Layers.items != nil || doc.Blobs.items != nil
	switch {
	case index && image:
		return invalid("the document is both an image and an index")
	case m.Index() && !doc.Manifests.there:
		return invalid("an index has a list of manifests")
	case index && !m.Index() && m.knownImage():
		return invalid("an image manifest has no list of manifests")
	case m.knownImage() && m.MediaType != MediaTypeArtifactManifest && doc.Config == nil:
		return invalid("an image manifest has a config")
	case !index && !image:
		return invalid("the document is neither an image nor an index")
	case (m.Index() || m.knownImage()) && m.MediaType != MediaTypeArtifactManifest && doc.SchemaVersion != 2:
		return invalid("schemaVersion is not 2")
	}
	if index {
		m.Manifests = doc.Manifests.items
		return nil
	}
	if doc.Config != nil {
		m.Blobs = append(m.Blobs, *doc.Config)
		if m.ArtifactType == "" {
			m.ArtifactType = doc.Config.MediaType // distribution-spec, "Listing Referrers"
		}
	}
	m.Blobs = append(append(m.Blobs, doc.Layers.items...), doc.Blobs.items...)
	return nil
}

func (m *Manifest) knownImage() bool {
	switch m.MediaType {
	case MediaTypeImageManifest, MediaTypeDockerManifest, MediaTypeArtifactManifest:
		return true
	}
	return false
}

// check parses every digest the manifest mentions: inside berth an invalid
// one does not exist.
func (m *Manifest) check() error {
	for _, list := range [][]Descriptor{m.Blobs, m.Manifests} {
		for _, d := range list {
			if err := d.check(); err != nil {
				return err
			}
		}
	}
	if m.Subject != nil {
		return m.Subject.check()
	}
	return nil
}

func (d *Descriptor) check() error {
	if _, err := ParseDigest(string(d.Digest)); err != nil {
		return invalid("a descriptor has no valid digest")
	}
	if d.Size < 0 {
		return invalid("a descriptor has a negative size")
	}
	return nil
}

// Required returns the blobs that must be in the repository before the
// manifest is: all but the layers that live at their URLs.
func (m *Manifest) Required() []Descriptor {
	var need []Descriptor
	for _, d := range m.Blobs {
		if !foreign(d.MediaType) {
			need = append(need, d)
		}
	}
	return need
}

func invalid(detail string) error { return ErrManifestInvalid.With(detail) }
