package metadatatest

var tagTests = []test{
	{"Tag/moves", func(e *env) {
		m := e.push("a", image{config: "c"}, "latest", "v1")
		n := e.push("a", image{config: "d"}, "latest")
		e.reopen()
		e.holds("a", tag("latest"), n)
		e.holds("a", tag("v1"), m)
		e.holds("a", by(m.Digest), m) // stays, though fewer tags name it
		e.ok(e.DeleteManifest(e.ctx, "a", m.Digest))
		e.holds("a", tag("latest"), n) // the tag that moved away is not m's any more
		equal(e, all(e, e.Tags(e.ctx, "a", "")), []string{"latest"})
	}},
	{"Tag/moves and comes back", func(e *env) {
		m := e.push("a", image{config: "c"}, "latest")
		n := e.push("a", image{config: "d"}, "latest")
		e.put("a", m, "latest", "latest")
		e.ok(e.DeleteManifest(e.ctx, "a", n.Digest))
		e.reopen()
		e.holds("a", tag("latest"), m)
	}},
	{"Tag/of another repository", func(e *env) {
		m := e.push("a", image{config: "c"}, "v1")
		n := e.push("a-b", image{config: "d"}, "v1")
		e.holds("a", tag("v1"), m)
		e.holds("a-b", tag("v1"), n)
		e.ok(e.DeleteTag(e.ctx, "a", "v1"))
		e.holds("a-b", tag("v1"), n)
	}},
	{"DeleteTag", func(e *env) {
		e.absent(e.DeleteTag(e.ctx, "a", "v1"))
		m := e.push("a", image{config: "c"}, "v1", "v10")
		e.absent(e.DeleteTag(e.ctx, "a", "v"))
		e.ok(e.DeleteTag(e.ctx, "a", "v1"))
		e.reopen()
		e.lacks("a", tag("v1"))
		e.holds("a", tag("v10"), m)
		e.holds("a", by(m.Digest), m)
		e.absent(e.DeleteTag(e.ctx, "a", "v1"))
		e.ok(e.DeleteTag(e.ctx, "a", "v10"))
		e.holds("a", by(m.Digest), m) // with its last tag a manifest does not go
	}},
}
