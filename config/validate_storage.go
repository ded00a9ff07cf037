package config

import (
	"errors"
	"regexp"
	"strings"
)

func (r *review) storage(s Storage) {
	r.oneOf("storage.driver", s.Driver, "filesystem", "s3")
	r.check("storage.filesystem.root", checkFile(s.Filesystem.Root))
	r.s3(s.S3)
	if s.Driver == "s3" && s.S3.Bucket == "" {
		r.add("storage.s3.bucket", "must be set with the driver s3")
	}
}

func (r *review) s3(s S3) {
	r.optional("storage.s3.endpoint", s.Endpoint, checkEndpoint)
	r.check("storage.s3.region", checkLabel(s.Region))
	r.optional("storage.s3.bucket", s.Bucket, checkBucket)
	r.optional("storage.s3.prefix", s.Prefix, checkObjectPrefix)
	r.together("storage.s3.access_key", s.AccessKey, "storage.s3.secret_key", s.SecretKey)
	r.optional("storage.s3.ca", s.CA, checkFile)
	r.optional("storage.s3.sse", s.SSE, checkSSE)
	r.optional("storage.s3.redirect_endpoint", s.RedirectEndpoint, checkBaseURL)
	within(r, "storage.s3.upload_memory", s.UploadMemory, 16*mib, 1024*gib)
}

func checkEndpoint(text string) error {
	if strings.Contains(text, "://") {
		return checkBaseURL(text)
	}
	return checkHost(text)
}

var bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$`)

func checkBucket(text string) error {
	if !bucketName.MatchString(text) {
		return errors.New("must be the name of a bucket, not " + quote(text))
	}
	return nil
}

func checkObjectPrefix(text string) error {
	if strings.HasPrefix(text, "/") || strings.Contains(text, "//") || strings.Contains("/"+text+"/", "/../") {
		return errors.New("must hold no // and no .. and not begin with a slash")
	}
	return checkLabel(text)
}

func checkSSE(text string) error {
	if text == "AES256" || text == "aws:kms" || strings.HasPrefix(text, "aws:kms:") && len(text) > len("aws:kms:") {
		return nil
	}
	return errors.New(`must be "", AES256, aws:kms or aws:kms:KEY-ID, not ` + quote(text))
}

func (r *review) metadata(c Config) {
	m := c.Metadata
	r.oneOf("metadata.driver", m.Driver, "bolt", "postgres")
	r.check("metadata.bolt.path", checkFile(m.Bolt.Path))
	r.optional("metadata.postgres.url", m.Postgres.URL, func(text string) error {
		return checkURL(text, "postgres", "postgresql")
	})
	if m.Driver == "postgres" && m.Postgres.URL == "" {
		r.add("metadata.postgres.url", "must be set with the driver postgres")
	}
	if m.Postgres.MaxConnections < 1 {
		r.add("metadata.postgres.max_connections", "must be at least 1")
	}
	notNegative(r, "metadata.postgres.stale_for", m.Postgres.StaleFor)
}

func (r *review) redis(c Config) {
	r.optional("redis.url", c.Redis.URL, func(text string) error {
		return checkURL(text, "redis", "rediss", "unix")
	})
	r.oneOf("redis.on_error", c.Redis.OnError, "allow", "deny")
	if c.Metadata.Driver == "postgres" && c.RateLimit.Enabled && c.Redis.URL == "" {
		r.add("redis.url", "must be set when metadata.driver is postgres and ratelimit is on: replicas share their counters")
	}
}
