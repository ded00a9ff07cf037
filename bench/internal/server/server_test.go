package server

import (
	"slices"
	"strings"
	"testing"
)

func TestParseCounts(t *testing.T) {
	const text = `# HELP berth_http_requests_total Requests by kind and status.
berth_http_requests_in_flight 1
berth_http_requests_total{kind="base",status="401"} 3
berth_http_requests_total{kind="blob.get",status="200"} 1.5e+03
berth_http_requests_total{kind="manifest.put",status="500"} 2
berth_http_requests_total{kind="token",status="503"} 1
`
	c, err := parseCounts(strings.NewReader(text))
	if err != nil || c != (Counts{V2: 1502, Failed: 3}) {
		t.Errorf("got %+v, %v", c, err)
	}
	if _, err := parseCounts(strings.NewReader(`berth_http_requests_total{kind="x"} 1`)); err == nil {
		t.Error("no error")
	}
}

func TestParseToken(t *testing.T) {
	line, err := ParseToken([]byte(`{"token":"abc","access_token":"abc"}`))
	if err != nil || string(line) != "Authorization: Bearer abc\r\n" {
		t.Errorf("got %q, %v", line, err)
	}
	for _, bad := range []string{"", "{}", `{"token":""}`, `{"token":1}`} {
		if _, err := ParseToken([]byte(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestTokenPath(t *testing.T) {
	open := (&Server{}).Admin()
	closed := (&Server{Program: Program{Berth: true}}).Admin()
	if open.TokenPath("a") != "" || open.Basic() != nil || closed.Basic() == nil {
		t.Error("a server without users asks for a token")
	}
	const want = "/token?scope=repository%3Aa%3Apull&scope=registry%3Acatalog%3A%2A&service=berth"
	if got := closed.TokenPath("repository:a:pull", "registry:catalog:*"); got != want {
		t.Errorf("got %s", got)
	}
}

func TestClean(t *testing.T) {
	got := clean([]string{"HOME=/", "BERTH_LOG_LEVEL=debug", "REGISTRY_AUTH=x", "OTEL_X=1", "PATH=/bin"})
	if !slices.Equal(got, []string{"HOME=/", "PATH=/bin"}) {
		t.Errorf("got %q", got)
	}
}

func TestUnknownProgram(t *testing.T) {
	if _, err := (Workshop{}).Programs(t.Context(), []string{"harbor"}); err == nil {
		t.Error("no error")
	}
}
