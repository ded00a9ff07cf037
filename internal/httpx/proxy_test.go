package httpx_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/berth-registry/berth/internal/httpx"
)

// trusted are the proxies of these tests.
var trusted = httpx.Proxies{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.168.1.7/32"),
	netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("fe80::/10"),
}

func request(t *testing.T, peer string, headers ...string) *http.Request {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://berth.local:5000/v2/", nil)
	r.RemoteAddr = peer
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// TestClient: X-Forwarded-For is believed as far as trusted proxies wrote it,
// read from its end.
func TestClient(t *testing.T) {
	const xff = "X-Forwarded-For"
	long := strings.Repeat("192.0.2.1, ", 10_000)
	for _, test := range []struct {
		name, peer string
		headers    []string
		want       string
	}{
		{"no proxy", "192.0.2.1:1234", nil, "192.0.2.1"},
		{"no proxy, IPv6", "[2001:db8::1]:1234", nil, "2001:db8::1"},
		{"no proxy, mapped", "[::ffff:192.0.2.1]:1234", nil, "192.0.2.1"},
		{"no proxy, zone", "[fe80::1%eth0]:1234", nil, "fe80::1"},
		{"spoof by who is no proxy", "192.0.2.1:1234", []string{xff, "198.51.100.1"}, "192.0.2.1"},
		{"spoof of a proxy by who is none", "192.0.2.1:1234", []string{xff, "10.0.0.1"}, "192.0.2.1"},

		{"proxy", "10.0.0.1:1", []string{xff, "192.0.2.1"}, "192.0.2.1"},
		{"proxy by its one address", "192.168.1.7:1", []string{xff, "192.0.2.1"}, "192.0.2.1"},
		{"its neighbour", "192.168.1.8:1", []string{xff, "192.0.2.1"}, "192.168.1.8"},
		{"proxy, IPv6", "[fd00::1]:1", []string{xff, "2001:db8::1"}, "2001:db8::1"},
		{"proxy, mapped", "[::ffff:10.0.0.1]:1", []string{xff, "::ffff:192.0.2.1"}, "192.0.2.1"},
		{"proxy, zone", "[fe80::1%eth0]:1", []string{xff, "192.0.2.1"}, "192.0.2.1"},
		{"two proxies", "10.0.0.1:1", []string{xff, "192.0.2.1, 10.0.0.2"}, "192.0.2.1"},
		{"two proxies, zone", "10.0.0.1:1", []string{xff, "192.0.2.1, fe80::2%eth0"}, "192.0.2.1"},
		{"two proxies, two lines", "10.0.0.1:1", []string{xff, "192.0.2.1", xff, "10.0.0.2"}, "192.0.2.1"},
		{"proxies only", "10.0.0.1:1", []string{xff, "10.0.0.3,10.0.0.2"}, "10.0.0.3"},

		{"what the client wrote before the proxy did", "10.0.0.1:1", []string{xff, "198.51.100.1, 192.0.2.1"}, "192.0.2.1"},
		{"the same, as a proxy", "10.0.0.1:1", []string{xff, "10.9.9.9, 192.0.2.1"}, "192.0.2.1"},
		{"the same, in a line of its own", "10.0.0.1:1", []string{xff, "198.51.100.1", xff, "192.0.2.1"}, "192.0.2.1"},
		{"garbage before", "10.0.0.1:1", []string{xff, "garbage, 192.0.2.1"}, "192.0.2.1"},
		{"garbage at the end", "10.0.0.1:1", []string{xff, "192.0.2.1, garbage"}, "10.0.0.1"},
		{"garbage between", "10.0.0.1:1", []string{xff, "192.0.2.1, garbage, 10.0.0.2"}, "10.0.0.2"},
		{"nothing", "10.0.0.1:1", []string{xff, ""}, "10.0.0.1"},
		{"no header", "10.0.0.1:1", nil, "10.0.0.1"},
		{"empty at the end", "10.0.0.1:1", []string{xff, "192.0.2.1,"}, "10.0.0.1"},
		{"a name", "10.0.0.1:1", []string{xff, "localhost"}, "10.0.0.1"},
		{"an address with a port", "10.0.0.1:1", []string{xff, "192.0.2.1:80"}, "10.0.0.1"},
		{"very many", "10.0.0.1:1", []string{xff, long + "198.51.100.7"}, "198.51.100.7"},
		{"other headers", "10.0.0.1:1", []string{"X-Real-Ip", "192.0.2.1", "Forwarded", "for=192.0.2.1"}, "10.0.0.1"},

		{"no address", "@", []string{xff, "192.0.2.1"}, "invalid IP"},
		{"a unix socket", "", nil, "invalid IP"},
	} {
		if got := trusted.Client(request(t, test.peer, test.headers...)).String(); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	for _, none := range []httpx.Proxies{nil, {}} {
		if got := none.Client(request(t, "10.0.0.1:1", xff, "192.0.2.1")).String(); got != "10.0.0.1" {
			t.Errorf("without proxies: %s", got)
		}
	}
}

// TestBase is where the client says that it is, from trusted proxies.
func TestBase(t *testing.T) {
	const proto, host = "X-Forwarded-Proto", "X-Forwarded-Host"
	for _, test := range []struct {
		name, peer string
		tls        bool
		host       string
		headers    []string
		want       string
	}{
		{"plain", "192.0.2.1:1", false, "berth.local:5000", nil, "http://berth.local:5000"},
		{"TLS", "192.0.2.1:1", true, "berth.local", nil, "https://berth.local"},
		{"IPv6", "192.0.2.1:1", false, "[::1]:5000", nil, "http://[::1]:5000"},
		{"spoof", "192.0.2.1:1", false, "berth.local", []string{proto, "https", host, "evil.example"}, "http://berth.local"},
		{"proxy", "10.0.0.1:1", false, "internal", []string{proto, "https", host, "registry.example:8443"}, "https://registry.example:8443"},
		{"proxy that ends TLS only", "10.0.0.1:1", false, "registry.example", []string{proto, "https"}, "https://registry.example"},
		{"proxy without TLS before TLS", "10.0.0.1:1", true, "registry.example", []string{proto, "http"}, "http://registry.example"},
		{"the nearest proxy counts", "10.0.0.1:1", false, "internal", []string{proto, "http, https", host, "evil.example, registry.example"}, "https://registry.example"},
		{"the last line counts", "10.0.0.1:1", false, "internal", []string{host, "evil.example", host, "registry.example"}, "http://registry.example"},
		{"an unknown scheme", "10.0.0.1:1", false, "internal", []string{proto, "javascript"}, "http://internal"},
		{"an empty host", "10.0.0.1:1", false, "internal", []string{host, " "}, "http://internal"},
		{"no host", "192.0.2.1:1", false, "", nil, ""},
		{"quotes", "10.0.0.1:1", false, "internal", []string{host, `x",scope="y`}, ""},
		{"a path", "10.0.0.1:1", false, "internal", []string{host, "registry.example/evil"}, ""},
		{"user info", "10.0.0.1:1", false, "internal", []string{host, "a@b"}, ""},
		{"a backslash", "192.0.2.1:1", false, `a\b`, nil, ""},
		{"a line break", "192.0.2.1:1", false, "a\r\nb", nil, ""},
		{"no ASCII", "192.0.2.1:1", false, "bérth", nil, ""},
		{"too long", "192.0.2.1:1", false, strings.Repeat("a", 301), nil, ""},
		{"long", "192.0.2.1:1", false, strings.Repeat("a", 300), nil, "http://" + strings.Repeat("a", 300)},
	} {
		r := request(t, test.peer, test.headers...)
		if r.Host = test.host; test.tls {
			r.TLS = new(tls.ConnectionState)
		}
		if got := trusted.Base(r); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	r := request(t, "10.0.0.1:1", proto, "https", host, "registry.example")
	if got := (httpx.Proxies)(nil).Base(r); got != "http://berth.local:5000" {
		t.Errorf("without proxies: %q", got)
	}
}
