package httpx

import (
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose X-Forwarded-For, -Proto and -Host headers are
// believed. With none, nobody's are.
type Proxies []netip.Prefix

// Client returns the address of the client: the peer, or what the nearest
// untrusted hop of X-Forwarded-For is if the peer is a trusted proxy. The
// zero Addr means that it cannot be told.
func (p Proxies) Client(r *http.Request) netip.Addr {
	peer := peer(r)
	if len(p) == 0 || !p.trusted(peer) {
		return peer
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	client := peer
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return client // what lies before a hop that cannot be read cannot be believed
		}
		client = hop.Unmap().WithZone("") // no network contains an address with a zone
		if !p.trusted(client) {
			return client
		}
	}
	return client
}

// Base returns scheme and host as the client sees them, "https://host:port".
// The host is the client's own claim: good for telling it where to go on,
// nothing else. Empty if the host has characters that no host has.
func (p Proxies) Base(r *http.Request) string {
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if len(p) > 0 && p.trusted(peer(r)) {
		if v := last(r.Header.Values("X-Forwarded-Proto")); v == "http" || v == "https" {
			scheme = v
		}
		if v := last(r.Header.Values("X-Forwarded-Host")); v != "" {
			host = v
		}
	}
	if !validHost(host) {
		return ""
	}
	return scheme + "://" + host
}

// Trusts reports whether the peer is a trusted proxy: the connection is then
// not the client's own.
func (p Proxies) Trusts(r *http.Request) bool { return p.trusted(peer(r)) }

func (p Proxies) trusted(a netip.Addr) bool {
	for _, network := range p {
		if network.Contains(a) {
			return true
		}
	}
	return false
}

func peer(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}

// last returns the last element of a list header: the one that the proxy
// nearest to us wrote.
func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	v := values[len(values)-1]
	return strings.TrimSpace(v[strings.LastIndexByte(v, ',')+1:])
}

func validHost(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && !strings.ContainsRune(".-_:[]%", rune(c)) {
			return false
		}
	}
	return s != "" && len(s) <= 300
}
