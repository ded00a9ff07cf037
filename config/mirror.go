package config

// Mirror is what is pulled through from other registries.
type Mirror struct {
	Addr         string     `yaml:"addr"`          // listener of a complete read-only mirror of Default; "" (default) = none
	Default      string     `yaml:"default"`       // name of an upstream; "" = none
	DefaultNames []string   `yaml:"default_names"` // patterns answered from Default on http.addr too when no such repository is here
	Reserved     []string   `yaml:"reserved"`      // patterns of local names that never go upstream; default: none
	Spool        Spool      `yaml:"spool"`
	Upstreams    []Upstream `yaml:"upstreams"`
	Sync         []Sync     `yaml:"sync"` // default: none
}

// Spool is local disk for fetches that are under way while the storage is S3.
type Spool struct {
	Dir     string `yaml:"dir"`      // default ./data/spool
	MaxSize Size   `yaml:"max_size"` // bytes; default 10GiB
}

// Upstream is a registry that is mirrored. DefaultUpstream has its defaults.
type Upstream struct {
	Name                 string   `yaml:"name"`                   // images live under <name>/<repo>; "*" = whatever Hosts names
	URL                  string   `yaml:"url"`                    // http(s) base URL; empty with the name "*"
	Hosts                []string `yaml:"hosts"`                  // host[:port] that the name "*" stands for; "*.example.org" = one label
	Realms               []string `yaml:"realms"`                 // host[:port] besides its own that may get the credentials
	Username             string   `yaml:"username"`               // needs Password
	Password             string   `yaml:"password"`               // secret
	Helper               string   `yaml:"helper"`                 // exec credential helper, instead of Username
	Expose               bool     `yaml:"expose"`                 // allow anonymous grants although there are credentials
	Library              bool     `yaml:"library"`                // nginx -> library/nginx; for docker.io
	Repositories         []string `yaml:"repositories"`           // patterns; "!pattern" excludes; default ["**"]
	FreshFor             Duration `yaml:"fresh_for"`              // a tag is served without asking; default 5m
	StaleWhileRevalidate bool     `yaml:"stale_while_revalidate"` // serve the old one, fetch the new one behind
	StaleIfDenied        bool     `yaml:"stale_if_denied"`        // serve what is cached when the upstream says 401 or 403
	KeepDeleted          bool     `yaml:"keep_deleted"`           // serve what is cached when the upstream says 404
	KeepFor              Duration `yaml:"keep_for"`               // since the last pull; 0 = for ever; default 720h
	MaxSize              Size     `yaml:"max_size"`               // bytes; 0 = no limit; default 50GiB
	CA                   string   `yaml:"ca"`                     // PEM file; "": the system's authorities
	Proxy                string   `yaml:"proxy"`                  // http, https or socks5 URL; "": the environment's
}

// Sync keeps chosen images warm.
type Sync struct {
	Repository string   `yaml:"repository"` // <upstream>/<repo>
	Tags       []string `yaml:"tags"`       // tag patterns
	Every      Duration `yaml:"every"`      // at least 1m
}
