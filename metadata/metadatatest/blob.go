package metadatatest

import "github.com/berth-registry/berth/metadata"

var blobTests = []test{
	{"Blob", func(e *env) {
		_, err := e.Blob(e.ctx, "a", digest("x"))
		e.absent(err)
		e.link("a", "x")
		e.reopen()
		got, err := e.Blob(e.ctx, "a", digest("x"))
		e.ok(err)
		equal(e, got, blob("x"))
		_, err = e.Blob(e.ctx, "ab", digest("x"))
		e.absent(err) // another repository's link is no authority
		_, err = e.Blob(e.ctx, "a", digest("y"))
		e.absent(err)
		_, err = e.Blob(e.ctx, "a", "")
		e.absent(err)
	}},
	{"LinkBlob/first key wins", func(e *env) {
		e.link("a", "x")
		second := blob("x")
		second.Key = "elsewhere"
		e.ok(e.LinkBlob(e.ctx, "b", second, ""))
		e.ok(e.LinkBlob(e.ctx, "a", second, ""))
		e.reopen()
		for _, repo := range []string{"a", "b"} {
			got, err := e.Blob(e.ctx, repo, digest("x"))
			e.ok(err)
			equal(e, got, blob("x"))
		}
	}},
	{"LinkBlob/digests of other algorithms", func(e *env) {
		b := blob("x")
		b.Digest = image{config: "x", algorithm: "sha512"}.make().Digest
		e.ok(e.LinkBlob(e.ctx, "a", b, ""))
		got, err := e.Blob(e.ctx, "a", b.Digest)
		e.ok(err)
		equal(e, got, b)
		equal(e, all(e, e.Linked(e.ctx, b.Digest)), []string{"a"})
	}},
	{"LinkBlob/ends the session", func(e *env) {
		e.ok(e.PutSession(e.ctx, session("s", "alice", 1)))
		e.ok(e.PutSession(e.ctx, session("t", "alice", 1)))
		e.ok(e.LinkBlob(e.ctx, "a", blob("x"), "s"))
		_, err := e.Session(e.ctx, "s")
		e.absent(err)
		e.reopen()
		_, err = e.Session(e.ctx, "s")
		e.absent(err)
		_, err = e.Session(e.ctx, "t")
		e.ok(err)
		n, err := e.CountSessions(e.ctx, "alice")
		e.ok(err)
		equal(e, n, 1)
		e.ok(e.LinkBlob(e.ctx, "a", blob("y"), "s")) // the session is gone already: the blob counts
		_, err = e.Blob(e.ctx, "a", digest("y"))
		e.ok(err)
	}},
	{"MountBlob", func(e *env) {
		_, err := e.MountBlob(e.ctx, "b", "a", digest("x"))
		e.absent(err)
		equal(e, all(e, e.Repositories(e.ctx, "")), []string{})
		e.link("a", "x")
		got, err := e.MountBlob(e.ctx, "b", "a", digest("x"))
		e.ok(err)
		equal(e, got, blob("x"))
		got, err = e.MountBlob(e.ctx, "b", "a", digest("x")) // again is harmless
		e.ok(err)
		equal(e, got, blob("x"))
		e.reopen()
		got, err = e.Blob(e.ctx, "b", digest("x"))
		e.ok(err)
		equal(e, got, blob("x"))
		equal(e, all(e, e.Repositories(e.ctx, "")), []string{"a", "b"})
		_, err = e.MountBlob(e.ctx, "c", "ab", digest("x"))
		e.absent(err) // known, but not to that repository
		e.ok(e.UnlinkBlob(e.ctx, "a", digest("x")))
		_, err = e.MountBlob(e.ctx, "c", "a", digest("x"))
		e.absent(err)
	}},
	{"UnlinkBlob", func(e *env) {
		e.absent(e.UnlinkBlob(e.ctx, "a", digest("x")))
		e.link("a", "x")
		e.link("b", "x")
		e.absent(e.UnlinkBlob(e.ctx, "c", digest("x")))
		e.ok(e.UnlinkBlob(e.ctx, "a", digest("x")))
		e.reopen()
		_, err := e.Blob(e.ctx, "a", digest("x"))
		e.absent(err)
		_, err = e.Blob(e.ctx, "b", digest("x"))
		e.ok(err)
		equal(e, all(e, e.Linked(e.ctx, digest("x"))), []string{"b"})
		e.absent(e.UnlinkBlob(e.ctx, "a", digest("x")))
	}},
	{"UnlinkBlob/held by a manifest", func(e *env) {
		m := e.push("a", image{config: "c", layers: []string{"x"}}, "v1")
		e.link("ab", "x") // held in one repository, free in another
		for _, name := range []string{"c", "x"} {
			e.inUse(e.UnlinkBlob(e.ctx, "a", digest(name)), m.Digest)
		}
		e.ok(e.UnlinkBlob(e.ctx, "ab", digest("x")))
		e.ok(e.DeleteTag(e.ctx, "a", "v1"))
		e.reopen()
		e.inUse(e.UnlinkBlob(e.ctx, "a", digest("x")), m.Digest) // tagged or not
		e.ok(e.DeleteManifest(e.ctx, "a", m.Digest))
		e.ok(e.UnlinkBlob(e.ctx, "a", digest("x")))
	}},
	{"UnlinkBlob/held by one of two manifests", func(e *env) {
		m := e.push("a", image{config: "c", layers: []string{"x"}})
		n := e.push("a", image{config: "d", layers: []string{"x"}})
		e.ok(e.DeleteManifest(e.ctx, "a", m.Digest))
		e.inUse(e.UnlinkBlob(e.ctx, "a", digest("x")), n.Digest)
		e.ok(e.UnlinkBlob(e.ctx, "a", digest("c")))
		e.ok(e.DeleteManifest(e.ctx, "a", n.Digest))
		e.ok(e.UnlinkBlob(e.ctx, "a", digest("x")))
	}},
	{"UnlinkBlob/an index needs the manifest, not a blob of the same digest", func(e *env) {
		child := e.push("a", image{config: "c"})
		e.put("a", index(child))
		e.ok(e.LinkBlob(e.ctx, "a", metadata.Blob{Digest: child.Digest, Key: "k", Size: child.Size}, ""))
		e.ok(e.UnlinkBlob(e.ctx, "a", child.Digest))
		e.holds("a", by(child.Digest), child)
	}},
	{"UnlinkBlob/what arrived after its manifest", func(e *env) {
		m := image{config: "c", layers: []string{"x"}, foreign: []string{"f"}}.make()
		e.ok(e.PutManifest(e.ctx, "a", metadata.PutManifest{Manifest: m, Sparse: true, Now: now}))
		e.link("a", "x", "f")
		e.reopen()
		e.inUse(e.UnlinkBlob(e.ctx, "a", digest("x")), m.Digest)
		e.inUse(e.UnlinkBlob(e.ctx, "a", digest("f")), m.Digest)
	}},
}
