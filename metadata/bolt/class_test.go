package bolt

import (
	"fmt"
	"testing"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
)

// TestUnknownClass reads rows of a version that did not tell the class of a
// manifest, and one of a manifest that cannot be parsed.
func TestUnknownClass(t *testing.T) {
	s := openNew(t)
	app := push(t, s, "a", "config", "v1")
	parse := func(mediaType, doc string) *oci.Manifest {
		m, err := oci.ParseManifest(mediaType, []byte(doc), oci.SHA256)
		ok(t, err)
		ok(t, s.PutManifest(ctx, "a", metadata.PutManifest{Manifest: m, Now: now}))
		return m
	}
	list := parse(oci.MediaTypeImageIndex, fmt.Sprintf(`{"schemaVersion":2,"manifests":[{"digest":%q,"size":1}]}`, app.Digest))
	chart := parse(oci.MediaTypeImageManifest, fmt.Sprintf(`{"schemaVersion":2,"config":{"digest":%q,"size":1},"layers":[]}`, testBlob("config").Digest))
	broken := parse(oci.MediaTypeImageManifest, fmt.Sprintf(`{"schemaVersion":2,"config":{"digest":%q,"size":1},"layers":[],"x":1}`, testBlob("config").Digest))
	ok(t, s.writer.do(ctx, 0, func(c *change) error {
		for _, m := range []*oci.Manifest{app, list, chart, broken} {
			o, err := findObject(c.tx, "a", m.Digest)
			if err != nil {
				return err
			}
			o.class = classUnknown
			if _, err := putObject(c, "a", m.Digest, o); err != nil {
				return err
			}
		}
		o, err := findObject(c.tx, "a", broken.Digest)
		if err != nil {
			return err
		}
		return c.put(tableBytes, numberKey(nil, o.number), append(appendDigest(nil, broken.Digest), "nonsense"...))
	}))
	for m, want := range map[*oci.Manifest]metadata.Pull{
		app: metadata.CountedManifest, list: metadata.FreeManifest, chart: metadata.CountedManifest, broken: metadata.CountedManifest,
	} {
		got, err := s.Manifest(ctx, "a", oci.Reference{Digest: m.Digest}, false)
		if err != nil || got.Pull != want {
			t.Errorf("%s: %d, %v; want %d", m.Bytes, got.Pull, err, want)
		}
	}
}
