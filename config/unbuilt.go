package config

// feature is a part of the schema whose code is not there yet. on says whether a configuration switches it on; settings that have
// no effect while it is off are nobody's harm.
type feature struct {
	path string
	on   func(Config) bool
}

// unbuiltFeatures shrinks: whoever builds a feature takes its row out, and sets its defaults in Default and in
// config.yaml to those of the design.
func unbuiltFeatures() []feature {
	return []feature{
		{"storage.driver", func(c Config) bool { return c.Storage.Driver == "s3" }},
		{"metadata.driver", func(c Config) bool { return c.Metadata.Driver == "postgres" }},
		{"mirror.addr", func(c Config) bool { return c.Mirror.Addr != "" }},
		{"mirror.default", func(c Config) bool { return c.Mirror.Default != "" }},
		{"mirror.default_names", func(c Config) bool { return len(c.Mirror.DefaultNames) > 0 }},
		{"mirror.reserved", func(c Config) bool { return len(c.Mirror.Reserved) > 0 }},
		{"mirror.upstreams", func(c Config) bool { return len(c.Mirror.Upstreams) > 0 }},
		{"mirror.sync", func(c Config) bool { return len(c.Mirror.Sync) > 0 }},
		{"registry.immutable_tags", func(c Config) bool { return len(c.Registry.ImmutableTags) > 0 }},
		{"registry.retention", func(c Config) bool { return len(c.Registry.Retention) > 0 }},
		{"registry.quotas", func(c Config) bool { return len(c.Registry.Quotas) > 0 }},
		{"gc.interval", func(c Config) bool { return c.GC.Interval > 0 }},
		{"webhooks", func(c Config) bool { return len(c.Webhooks) > 0 }},
	}
}

// unbuilt returns a problem for each feature that c switches on too early.
func unbuilt(c Config) Problems {
	var ps Problems
	for _, f := range unbuiltFeatures() {
		if f.on(c) {
			ps = append(ps, Problem{Path: f.path, Message: "is not built yet"})
		}
	}
	return ps
}
