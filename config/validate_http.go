package config

import (
	"errors"
	"net/mail"
	"net/netip"
	"strings"
)

// maxSocket is how long the path of a unix socket may be on every system.
const maxSocket = 103

func (r *review) http(c Config) {
	r.check("http.addr", checkListen(c.HTTP.Addr))
	r.optional("http.url", c.HTTP.URL, checkBaseURL)
	r.tls(c.HTTP.TLS)
	r.acme(c)
	for i, p := range c.HTTP.TrustedProxies {
		r.check(at("http.trusted_proxies", i), checkPrefix(p))
	}
	r.check("http.admin_socket", checkSocket(c.HTTP.AdminSocket))
}

func (r *review) tls(t TLS) {
	r.together("http.tls.cert", t.Cert, "http.tls.key", t.Key)
	r.optional("http.tls.cert", t.Cert, checkFile)
	r.optional("http.tls.key", t.Key, checkFile)
	r.optional("http.tls.client_ca", t.ClientCA, checkFile)
	if t.ClientCA != "" && t.Cert == "" && len(t.ACME.Hosts) == 0 {
		r.add("http.tls.client_ca", "needs http.tls.cert or http.tls.acme too")
	}
	if t.Cert != "" && len(t.ACME.Hosts) > 0 {
		r.add("http.tls.acme.hosts", "cannot be together with http.tls.cert")
	}
}

func (r *review) acme(c Config) {
	a := c.HTTP.TLS.ACME
	if len(a.Hosts) == 0 {
		r.off("http.tls.acme", "hosts", a, ACME{Hosts: a.Hosts, Cache: Default().HTTP.TLS.ACME.Cache})
		return
	}
	r.each("http.tls.acme.hosts", a.Hosts, checkPublicHost)
	r.optional("http.tls.acme.email", a.Email, checkEmail)
	r.optional("http.tls.acme.directory", a.Directory, func(text string) error { return checkURL(text, "https") })
	r.optional("http.tls.acme.ca", a.CA, checkFile)
	r.check("http.tls.acme.cache", checkFile(a.Cache))
	r.optional("http.tls.acme.http", a.HTTP, checkListen)
	if sameListener(a.HTTP, c.HTTP.Addr) || sameListener(a.HTTP, c.Metrics.Addr) {
		r.add("http.tls.acme.http", "must differ from http.addr and metrics.addr")
	}
}

// checkPublicHost accepts names that an ACME authority could issue for.
func checkPublicHost(text string) error {
	_, err := netip.ParseAddr(text)
	if err == nil || !isHost(text) || !strings.Contains(text, ".") || strings.Contains(text, "_") {
		return errors.New("must be a host name such as registry.example.org, not " + quote(text))
	}
	return nil
}

func checkEmail(text string) error {
	if a, err := mail.ParseAddress(text); err != nil || a.Address != text {
		return errors.New("must be an e-mail address, not " + quote(text))
	}
	return nil
}

// checkSocket refuses abstract sockets ("" and @name on Linux): they have no directory whose mode guards them.
func checkSocket(text string) error {
	if strings.HasPrefix(text, "@") {
		return errors.New("must be a path, not an abstract socket")
	}
	if len(text) > maxSocket {
		return errors.New("must be at most 103 bytes long: the system takes no longer names of sockets; a path relative to the working directory may be shorter")
	}
	return checkFile(text)
}

func (r *review) metrics(c Config) {
	r.optional("metrics.addr", c.Metrics.Addr, checkListen)
	if sameListener(c.Metrics.Addr, c.HTTP.Addr) {
		r.add("metrics.addr", `must differ from http.addr; "" serves /metrics there`)
	}
}

// sameListener is about what is written; two ways to write one address meet at the start.
func sameListener(a, b string) bool {
	return a != "" && a == b && !strings.HasSuffix(a, ":0")
}

func (r *review) log(l Log) {
	r.oneOf("log.level", l.Level, "debug", "info", "warn", "error")
	r.oneOf("log.format", l.Format, "text", "json")
	r.optional("log.audit", l.Audit, checkFile)
}

func (r *review) webhooks(hooks []Webhook) {
	for i, h := range hooks {
		path := at("webhooks", i)
		r.check(path+".url", checkURL(h.URL, "http", "https"))
		r.each(path+".events", h.Events, checkName)
		r.each(path+".repositories", h.Repositories, checkPattern)
	}
}
