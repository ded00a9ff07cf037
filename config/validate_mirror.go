package config

import (
	"errors"
	"slices"
	"strings"
	"time"
)

func (r *review) mirror(c Config) {
	m := c.Mirror
	r.optional("mirror.addr", m.Addr, checkListen)
	if sameListener(m.Addr, c.HTTP.Addr) || sameListener(m.Addr, c.Metrics.Addr) {
		r.add("mirror.addr", "must differ from http.addr and metrics.addr")
	}
	if m.Addr != "" && m.Default == "" {
		r.add("mirror.addr", "needs mirror.default too")
	}
	if m.Default != "" && !hasUpstream(m.Upstreams, m.Default) {
		r.add("mirror.default", "must be the name of one of mirror.upstreams, not %s", quote(m.Default))
	}
	r.each("mirror.default_names", m.DefaultNames, checkPattern)
	r.each("mirror.reserved", m.Reserved, checkPattern)
	r.check("mirror.spool.dir", checkFile(m.Spool.Dir))
	within(r, "mirror.spool.max_size", m.Spool.MaxSize, 64*mib, 1<<20*gib)
	r.upstreams(m.Upstreams)
	r.sync(m.Sync)
}

func hasUpstream(upstreams []Upstream, name string) bool {
	return slices.ContainsFunc(upstreams, func(u Upstream) bool { return u.Name == name && name != "*" })
}

func (r *review) upstreams(upstreams []Upstream) {
	var seen []string
	for i, u := range upstreams {
		path := at("mirror.upstreams", i)
		if slices.Contains(seen, u.Name) {
			r.add(path+".name", "is the name of another upstream already: %s", quote(u.Name))
		}
		seen = append(seen, u.Name)
		r.upstreamHosts(path, u)
		r.upstreamCredentials(path, u)
		r.some(path+".repositories", u.Repositories, checkUpstreamPattern)
		notNegative(r, path+".fresh_for", u.FreshFor)
		notNegative(r, path+".keep_for", u.KeepFor)
		notNegative(r, path+".max_size", u.MaxSize)
		r.optional(path+".ca", u.CA, checkFile)
		r.optional(path+".proxy", u.Proxy, func(text string) error { return checkURL(text, "http", "https", "socks5") })
	}
}

// upstreamHosts wants a URL for one registry, a list of hosts for the name "*".
func (r *review) upstreamHosts(path string, u Upstream) {
	if u.Name != "*" {
		r.check(path+".name", checkName(u.Name))
		r.check(path+".url", checkBaseURL(u.URL))
		if len(u.Hosts) > 0 {
			r.add(path+".hosts", `is for the upstream "*" only; this one has a url`)
		}
		return
	}
	if u.URL != "" {
		r.add(path+".url", `must be empty for the upstream "*"; its hosts are in hosts`)
	}
	r.some(path+".hosts", u.Hosts, checkHostPattern)
}

// checkHostPattern accepts a host, and *.example.org.
func checkHostPattern(text string) error {
	rest := strings.TrimPrefix(text, "*.")
	if rest != text && !strings.Contains(rest, ".") {
		return errors.New("must name more than a top-level domain after *., not " + quote(text))
	}
	return checkHost(rest)
}

func (r *review) upstreamCredentials(path string, u Upstream) {
	r.together(path+".username", u.Username, path+".password", u.Password)
	if u.Helper != "" && u.Username != "" {
		r.add(path+".helper", "cannot be together with username")
	}
	r.optional(path+".helper", u.Helper, checkFile)
	r.each(path+".realms", u.Realms, checkHost)
	if u.Name == "*" && (u.Username != "" || u.Helper != "") {
		r.add(path+".name", `"*" cannot have credentials: they would go to every one of its hosts`)
	}
}

func (r *review) sync(syncs []Sync) {
	for i, s := range syncs {
		path := at("mirror.sync", i)
		r.check(path+".repository", checkRepository(s.Repository))
		r.some(path+".tags", s.Tags, checkTagPattern)
		within(r, path+".every", s.Every, Duration(time.Minute), 366*day)
	}
}

func checkRepository(text string) error {
	if strings.Contains(text, "*") || !strings.Contains(text, "/") || checkPattern(text) != nil {
		return errors.New("must be the name of a repository of an upstream such as docker.io/library/nginx, not " + quote(text))
	}
	return nil
}
