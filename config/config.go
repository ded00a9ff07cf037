package config

import "net/netip"

// Config is the whole configuration, one field per section of config.yaml. It is plain data: copying it shares its
// lists, and nobody writes to those after Load. File paths are relative to the working directory.
type Config struct {
	HTTP      HTTP      `yaml:"http"`
	Metrics   Metrics   `yaml:"metrics"`
	Log       Log       `yaml:"log"`
	Storage   Storage   `yaml:"storage"`
	Metadata  Metadata  `yaml:"metadata"`
	Redis     Redis     `yaml:"redis"`
	Auth      Auth      `yaml:"auth"`
	RateLimit RateLimit `yaml:"ratelimit"`
	Mirror    Mirror    `yaml:"mirror"`
	Registry  Registry  `yaml:"registry"`
	GC        GC        `yaml:"gc"`
	Webhooks  []Webhook `yaml:"webhooks"` // default: none
}

// HTTP is where berth listens and how the outside sees it.
type HTTP struct {
	Addr           string         `yaml:"addr"`            // host:port to listen on; default ":5000"
	URL            string         `yaml:"url"`             // external base URL; "" (default): scheme and Host of the request
	TLS            TLS            `yaml:"tls"`             // default: none, plain HTTP
	TrustedProxies []netip.Prefix `yaml:"trusted_proxies"` // whose X-Forwarded-* are believed; default: nobody's
	AdminSocket    string         `yaml:"admin_socket"`    // unix socket in a directory of mode 0700; default ./data/admin/admin.sock
}

// TLS is the certificate of the main listener: two files, or ACME, or (default) none.
type TLS struct {
	Cert     string `yaml:"cert"`      // PEM file, the chain; needs Key
	Key      string `yaml:"key"`       // PEM file; needs Cert
	ClientCA string `yaml:"client_ca"` // PEM file; set: who has a certificate signed by it can log in with it
	ACME     ACME   `yaml:"acme"`
}

// ACME gets the certificate from an ACME authority; it is on when Hosts is not empty.
type ACME struct {
	Hosts     []string `yaml:"hosts"`     // host names to get a certificate for; default: none
	Email     string   `yaml:"email"`     // contact for the authority; default ""
	Directory string   `yaml:"directory"` // https URL of the authority; "" (default): Let's Encrypt
	CA        string   `yaml:"ca"`        // PEM file, to trust Directory by; "" (default): the system's authorities
	Cache     string   `yaml:"cache"`     // directory of mode 0700 for keys and certificates; default ./data/acme
	HTTP      string   `yaml:"http"`      // host:port that answers HTTP-01; "" (default): TLS-ALPN-01 on http.addr alone
}

// Metrics is where /metrics is served.
type Metrics struct {
	Addr string `yaml:"addr"` // "" (default): on http.addr; set: on this listener only
}

// Log is what is written about the running process.
type Log struct {
	Level  string `yaml:"level"`  // debug | info (default) | warn | error
	Format string `yaml:"format"` // text (default) | json
	Audit  string `yaml:"audit"`  // a file, "-" = standard output, "" (default) = kept for the API only
}

// Storage is where the bytes are.
type Storage struct {
	Driver     string     `yaml:"driver"` // filesystem (default) | s3
	Filesystem Filesystem `yaml:"filesystem"`
	S3         S3         `yaml:"s3"`
}

// Filesystem keeps the bytes below one directory; it counts when storage.driver is filesystem.
type Filesystem struct {
	Root string `yaml:"root"` // holds docker/registry/v2/... as registry:2 and :3 do; default ./data
}

// S3 keeps the bytes in a bucket; it counts when storage.driver is s3.
type S3 struct {
	Endpoint         string `yaml:"endpoint"`          // host[:port] or URL; "" (default): AWS in Region
	Region           string `yaml:"region"`            // default us-east-1
	Bucket           string `yaml:"bucket"`            // required with the driver s3
	Prefix           string `yaml:"prefix"`            // of every object's key; default ""
	AccessKey        string `yaml:"access_key"`        // "" (default): environment, IAM, IRSA; needs SecretKey
	SecretKey        string `yaml:"secret_key"`        // secret
	PathStyle        bool   `yaml:"path_style"`        // bucket in the path, not in the host; default false
	Insecure         bool   `yaml:"insecure"`          // plain HTTP to Endpoint; default false
	CA               string `yaml:"ca"`                // PEM file; "" (default): the system's authorities
	SSE              string `yaml:"sse"`               // "" (default) | AES256 | aws:kms | aws:kms:KEY-ID
	Redirect         bool   `yaml:"redirect"`          // blob GETs answer 307 to a presigned URL; default false
	RedirectEndpoint string `yaml:"redirect_endpoint"` // URL that clients reach; "" (default): Endpoint
	UploadMemory     Size   `yaml:"upload_memory"`     // bytes held by all uploads together; default 256MiB
}

// Metadata is where everything mutable is.
type Metadata struct {
	Driver   string   `yaml:"driver"` // bolt (default) | postgres
	Bolt     Bolt     `yaml:"bolt"`
	Postgres Postgres `yaml:"postgres"`
}

// Bolt is one embedded file; it counts when metadata.driver is bolt.
type Bolt struct {
	Path string `yaml:"path"` // default ./data/berth.db
}

// Postgres is shared by replicas; it counts when metadata.driver is postgres.
type Postgres struct {
	URL            string   `yaml:"url"`             // postgres://...; secret; required with the driver postgres
	MaxConnections int      `yaml:"max_connections"` // per replica; default 20
	StaleFor       Duration `yaml:"stale_for"`       // how long reads are answered from memory while it is away; default 30s
}

// Redis holds the counters that replicas share; required with postgres when ratelimit is on.
type Redis struct {
	URL     string `yaml:"url"`      // redis://, rediss:// or unix://; secret; "" (default): counters in memory
	OnError string `yaml:"on_error"` // allow (default) | deny pulls while it cannot be reached
}

// RateLimit is how many pulls each client has.
type RateLimit struct {
	Enabled            bool       `yaml:"enabled"`             // default true; off: no limit, and no usage is recorded
	Window             Duration   `yaml:"window"`              // rolling; default 6h
	Anonymous          Limit      `yaml:"anonymous"`           // per IPv4 address or IPv6 /64; default 100
	Authenticated      Limit      `yaml:"authenticated"`       // per user; default 200
	Robots             Limit      `yaml:"robots"`              // per robot, and per principal of an outside issuer; default unlimited
	Overrides          []Override `yaml:"overrides"`           // the most generous that matches wins; default: none
	ExemptRepositories []string   `yaml:"exempt_repositories"` // patterns whose pulls do not count; default: none
	Count              string     `yaml:"count"`               // images (default) | every-manifest
	RequestsPerMinute  int        `yaml:"requests_per_minute"` // abuse limit per address over everything; 0 (default) = off
}

// Override is another limit for some clients.
type Override struct {
	Who    []string `yaml:"who"`    // as in Grant, and robot:* for all robots
	Limit  Limit    `yaml:"limit"`  // must be set
	Window Duration `yaml:"window"` // 0 (default): ratelimit.window
}

// Registry is what may be stored.
type Registry struct {
	Sparse        []string       `yaml:"sparse"`         // patterns of repositories whose manifests may reference what is absent; default: none
	ImmutableTags []ImmutableTag `yaml:"immutable_tags"` // default: none
	Retention     []Retention    `yaml:"retention"`      // default: none, everything is kept
	Quotas        []Quota        `yaml:"quotas"`         // default: none
	MaxManifest   Size           `yaml:"max_manifest"`   // bytes, 4KiB to 64MiB; default 4MiB
	MaxBlob       Size           `yaml:"max_blob"`       // bytes; 0 (default) = no limit
}

// ImmutableTag are tags that never move once they are set.
type ImmutableTag struct {
	Repositories []string `yaml:"repositories"` // patterns
	Tags         []string `yaml:"tags"`         // tag patterns, * = any characters
}

// Retention is which tags are kept; a tag that no keep_ key of its rule keeps is removed.
type Retention struct {
	Repositories     []string `yaml:"repositories"`       // patterns
	Tags             []string `yaml:"tags"`               // tag patterns the rule is about; empty = all
	KeepLast         int      `yaml:"keep_last"`          // this many, newest push first; 0 = none
	KeepPushedWithin Duration `yaml:"keep_pushed_within"` // 0 = none
	KeepPulledWithin Duration `yaml:"keep_pulled_within"` // 0 = none
	KeepMatching     []string `yaml:"keep_matching"`      // tag patterns
}

// Quota bounds what a namespace stores; at least one of its limits is set.
type Quota struct {
	Namespace    string `yaml:"namespace"`    // pattern, e.g. team/**
	Bytes        Size   `yaml:"bytes"`        // of distinct blobs; 0 = no limit
	Repositories int    `yaml:"repositories"` // 0 = no limit
	Tags         int    `yaml:"tags"`         // 0 = no limit
}

// GC is when what nobody needs is removed.
type GC struct {
	Interval      Duration `yaml:"interval"`       // between two looks at the queue; 0 = never
	Grace         Duration `yaml:"grace"`          // how long what was freed can still be pulled; default 24h
	UntaggedAfter Duration `yaml:"untagged_after"` // untagged manifests go this long after their last use; 0 = never; default 720h
	ScrubEvery    Duration `yaml:"scrub_every"`    // every blob is re-hashed this often; 0 = never; default 720h
}

// Webhook is told about events.
type Webhook struct {
	URL          string   `yaml:"url"`          // http or https
	Secret       string   `yaml:"secret"`       // signs the bodies; secret; default "", unsigned
	Events       []string `yaml:"events"`       // names such as push; empty = all
	Repositories []string `yaml:"repositories"` // patterns; empty = all
}
