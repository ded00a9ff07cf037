package config

func (r *review) registry(g Registry) {
	r.each("registry.sparse", g.Sparse, checkPattern)
	for i, t := range g.ImmutableTags {
		path := at("registry.immutable_tags", i)
		r.some(path+".repositories", t.Repositories, checkPattern)
		r.some(path+".tags", t.Tags, checkTagPattern)
	}
	r.retention(g.Retention)
	r.quotas(g.Quotas)
	within(r, "registry.max_manifest", g.MaxManifest, 4<<10, 64*mib)
	notNegative(r, "registry.max_blob", g.MaxBlob)
}

func (r *review) retention(rules []Retention) {
	for i, t := range rules {
		path := at("registry.retention", i)
		r.some(path+".repositories", t.Repositories, checkPattern)
		r.each(path+".tags", t.Tags, checkTagPattern)
		notNegative(r, path+".keep_last", t.KeepLast)
		notNegative(r, path+".keep_pushed_within", t.KeepPushedWithin)
		notNegative(r, path+".keep_pulled_within", t.KeepPulledWithin)
		r.each(path+".keep_matching", t.KeepMatching, checkTagPattern)
		if t.KeepLast == 0 && t.KeepPushedWithin == 0 && t.KeepPulledWithin == 0 && len(t.KeepMatching) == 0 {
			r.add(path, "must have at least one keep_ key: without any it would remove every tag")
		}
	}
}

func (r *review) quotas(quotas []Quota) {
	for i, q := range quotas {
		path := at("registry.quotas", i)
		r.check(path+".namespace", checkPattern(q.Namespace))
		notNegative(r, path+".bytes", q.Bytes)
		notNegative(r, path+".repositories", q.Repositories)
		notNegative(r, path+".tags", q.Tags)
		if q.Bytes == 0 && q.Repositories == 0 && q.Tags == 0 {
			r.add(path, "must limit bytes, repositories or tags")
		}
	}
}

func (r *review) gc(g GC) {
	notNegative(r, "gc.interval", g.Interval)
	notNegative(r, "gc.grace", g.Grace)
	notNegative(r, "gc.untagged_after", g.UntaggedAfter)
	notNegative(r, "gc.scrub_every", g.ScrubEvery)
}
