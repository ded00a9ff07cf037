package metadatatest

import (
	"time"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
)

var manifestTests = []test{
	{"Manifest", func(e *env) {
		e.lacks("a", tag("v1"))
		m := e.push("a", image{config: "c", layers: []string{"x"}}, "v1", "v2")
		e.reopen()
		for _, ref := range []oci.Reference{tag("v1"), tag("v2"), by(m.Digest)} {
			e.holds("a", ref, m)
			got, err := e.Manifest(e.ctx, "a", ref, false)
			e.ok(err)
			equal(e, got, stored(m, false))
		}
		e.lacks("ab", by(m.Digest))
		e.lacks("a", tag("v"))
		e.lacks("a", tag("v11"))
		e.lacks("a", by(digest("x"))) // a blob is no manifest
		e.lacks("a", oci.Reference{})
	}},
	{"PutManifest/without tags", func(e *env) {
		m := e.push("a", image{config: "c"})
		e.reopen()
		e.holds("a", by(m.Digest), m)
		equal(e, all(e, e.Tags(e.ctx, "a", "")), []string{})
	}},
	{"PutManifest/names all that is missing", func(e *env) {
		child, other := image{config: "c"}.make(), image{config: "d"}.make()
		m := image{config: "c", layers: []string{"x", "y", "x", "there"}, foreign: []string{"f"}}.make()
		e.link("a", "there")
		e.link("ab", "x") // linked, but elsewhere
		e.missing(e.tryPut("a", m, "v1"), digests("c", "x", "y")...)
		e.missing(e.tryPut("b", index(child, other, child), "v1"), child.Digest, other.Digest)
		e.reopen()
		e.lacks("a", by(m.Digest))
		e.lacks("a", tag("v1"))
		found, err := e.Exists(e.ctx, "b")
		e.ok(err)
		equal(e, found, false)
		e.link("a", "c", "x", "y")
		e.put("a", m, "v1") // foreign layers live at their URLs
		e.holds("a", tag("v1"), m)
	}},
	{"PutManifest/a child must be a manifest of the same repository", func(e *env) {
		child := e.push("ab", image{config: "c"})
		e.ok(e.LinkBlob(e.ctx, "a", metadata.Blob{Digest: child.Digest, Key: "k", Size: child.Size}, ""))
		e.missing(e.tryPut("a", index(child)), child.Digest)
	}},
	{"PutManifest/a blob must be linked, not a manifest", func(e *env) {
		child := e.push("a", image{config: "c"})
		m := parse(oci.MediaTypeImageManifest, "", nil, map[string]any{
			"config": oci.Descriptor{MediaType: configType, Digest: child.Digest, Size: child.Size}, "layers": []oci.Descriptor{},
		})
		e.missing(e.tryPut("a", m), child.Digest)
	}},
	{"PutManifest/sparse", func(e *env) {
		child := image{config: "c"}.make()
		m := index(child)
		p := metadata.PutManifest{Manifest: m, Tags: []string{"v1"}, Sparse: true, Now: now}
		e.ok(e.PutManifest(e.ctx, "a", p))
		e.reopen()
		e.holds("a", tag("v1"), m)
		e.missing(e.tryPut("a", m), child.Digest) // that it is stored does not make it whole
		e.push("a", image{config: "c"})
		e.inUse(e.DeleteManifest(e.ctx, "a", child.Digest), m.Digest)
		e.ok(e.DeleteManifest(e.ctx, "a", m.Digest))
		e.ok(e.DeleteManifest(e.ctx, "a", child.Digest))
	}},
	{"PutManifest/again", func(e *env) {
		m := e.push("a", image{config: "c", layers: []string{"x"}, subject: image{config: "s"}.make()}, "v1")
		later := now.Add(time.Hour)
		e.ok(e.PutManifest(e.ctx, "a", metadata.PutManifest{Manifest: m, Tags: []string{"v2"}, Now: later}))
		e.reopen()
		got, err := e.Manifest(e.ctx, "a", tag("v1"), true)
		e.ok(err)
		want := stored(m, true)
		want.PushedAt = later
		equal(e, got, want)
		equal(e, all(e, e.Tags(e.ctx, "a", "")), []string{"v1", "v2"})
		equal(e, all(e, e.Referrers(e.ctx, "a", m.Subject.Digest, "")), []oci.Descriptor{referrer(m)})
		e.ok(e.DeleteManifest(e.ctx, "a", m.Digest))
		e.ok(e.UnlinkBlob(e.ctx, "a", digest("x")))
	}},
	{"PutManifest/the time zone is not kept, the moment is", func(e *env) {
		e.link("a", "c")
		m := image{config: "c"}.make()
		local := now.In(time.FixedZone("somewhere", 3600))
		e.ok(e.PutManifest(e.ctx, "a", metadata.PutManifest{Manifest: m, Now: local}))
		e.reopen()
		e.holds("a", by(m.Digest), m)
	}},
	{"PutManifest/other algorithms are other manifests", func(e *env) {
		one := e.push("a", image{config: "c"}, "one", "both")
		two := e.push("a", image{config: "c", algorithm: oci.SHA512}, "two", "both")
		e.reopen()
		e.holds("a", tag("one"), one)
		e.holds("a", tag("two"), two)
		e.holds("a", tag("both"), two)
		e.holds("a", by(one.Digest), one)
		e.ok(e.DeleteManifest(e.ctx, "a", two.Digest))
		equal(e, all(e, e.Tags(e.ctx, "a", "")), []string{"one"})
		e.inUse(e.UnlinkBlob(e.ctx, "a", digest("c")), one.Digest)
	}},
	{"PutManifest/values are copied", func(e *env) {
		i := image{config: "c", subject: image{config: "s"}.make(), annotations: map[string]string{"k": "v"}}
		m, want := e.push("a", i, "v1"), i.make()
		m.Bytes[0] = 'X'
		m.Annotations["k"] = "changed"
		e.holds("a", tag("v1"), want)
		got, err := e.Manifest(e.ctx, "a", tag("v1"), true)
		e.ok(err)
		got.Bytes[0] = 'X'
		for _, d := range all(e, e.Referrers(e.ctx, "a", want.Subject.Digest, "")) {
			d.Annotations["k"] = "changed"
		}
		e.holds("a", tag("v1"), want)
		equal(e, all(e, e.Referrers(e.ctx, "a", want.Subject.Digest, "")), []oci.Descriptor{referrer(want)})
	}},
	{"DeleteManifest", func(e *env) {
		m := e.push("a", image{config: "c"}, "v1", "v2")
		n := e.push("a", image{config: "d"}, "v3")
		e.put("ab", index())
		e.link("ab", "c")
		e.put("ab", m, "v1")
		e.ok(e.DeleteManifest(e.ctx, "a", m.Digest))
		e.reopen()
		for _, ref := range []oci.Reference{tag("v1"), tag("v2"), by(m.Digest)} {
			e.lacks("a", ref)
		}
		equal(e, all(e, e.Tags(e.ctx, "a", "")), []string{"v3"})
		e.holds("a", tag("v3"), n)
		e.holds("ab", tag("v1"), m)
		e.absent(e.DeleteManifest(e.ctx, "a", m.Digest))
		e.absent(e.DeleteManifest(e.ctx, "nowhere", m.Digest))
		e.put("a", m, "v2") // and back: its blobs stayed linked
		e.holds("a", tag("v2"), m)
		e.lacks("a", tag("v1"))
	}},
	{"DeleteManifest/held by an index", func(e *env) {
		child := e.push("a", image{config: "c"}, "child")
		inner := index(child)
		e.put("a", inner)
		outer := index(inner)
		e.put("a", outer, "outer")
		e.reopen()
		e.inUse(e.DeleteManifest(e.ctx, "a", child.Digest), inner.Digest)
		e.inUse(e.DeleteManifest(e.ctx, "a", inner.Digest), outer.Digest)
		e.holds("a", tag("child"), child)
		for _, m := range []*oci.Manifest{outer, inner, child} {
			e.ok(e.DeleteManifest(e.ctx, "a", m.Digest))
		}
	}},
	{"DeleteManifest/a subject may go first", func(e *env) {
		subject := e.push("a", image{config: "c"}, "v1")
		sig := e.push("a", image{config: "sig", subject: subject})
		e.ok(e.DeleteManifest(e.ctx, "a", subject.Digest))
		e.reopen()
		equal(e, all(e, e.Referrers(e.ctx, "a", subject.Digest, "")), []oci.Descriptor{referrer(sig)})
		e.ok(e.DeleteManifest(e.ctx, "a", sig.Digest))
		equal(e, all(e, e.Referrers(e.ctx, "a", subject.Digest, "")), []oci.Descriptor{})
	}},
	{"DeleteManifest/a child that is the subject too is held", func(e *env) {
		child := e.push("a", image{config: "c"})
		m := referringIndex(child, child)
		e.put("a", m)
		e.inUse(e.DeleteManifest(e.ctx, "a", child.Digest), m.Digest)
	}},
}
