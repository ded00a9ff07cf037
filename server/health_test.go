package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/berth-registry/berth/server"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	s.table([]row{
		{do: "GET /healthz", as: "-", status: 200, text: `{"status":"ok"}`, gives: header{"Content-Type": "application/json"}},
		{do: "GET /readyz", as: "-", status: 200, text: `{"metadata":"ok","storage":"ok"}`},
		{do: "POST /healthz", as: "-", status: 405, code: "UNSUPPORTED"},
	})
	s.must(s.bolt.Close())
	s.table([]row{
		{do: "GET /healthz", as: "-", status: 200},
		{do: "GET /readyz", as: "-", status: 503, text: `{"metadata":"failed","storage":"ok"}`},
	})
	s.must(s.files.Close())
	s.table([]row{{do: "GET /readyz", as: "-", status: 503, text: `{"metadata":"failed","storage":"failed"}`}})
}

// TestReadyTellsNothing keeps the text of a failure, and bounds the probe.
func TestReadyTellsNothing(t *testing.T) {
	t.Parallel()
	bounded := false
	s := newStack(t, settings{checks: []server.Check{{Name: "disk", Check: func(ctx context.Context) error {
		_, bounded = ctx.Deadline()
		return errors.New("open /secret")
	}}}})
	s.table([]row{{do: "GET /readyz", as: "-", status: 503, text: `{"disk":"failed"}`}})
	if !bounded {
		t.Error("the check may hang for ever")
	}
}

// TestJWKS publishes the public half of the keys, RFC 7517.
func TestJWKS(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	got := s.send(row{do: "GET /.well-known/jwks.json", as: "-"})
	var set struct{ Keys []map[string]string }
	s.must(json.Unmarshal([]byte(got.body), &set))
	if got.StatusCode != 200 || got.Header.Get("Content-Type") != "application/jwk-set+json" || len(set.Keys) != 1 {
		t.Fatalf("%d %v %s", got.StatusCode, got.Header, got.body)
	}
	if k := set.Keys[0]; k["kid"] == "" || k["alg"] != "EdDSA" || k["use"] != "sig" || k["x"] == "" || k["d"] != "" {
		t.Errorf("key %v", k)
	}
}

// TestMetrics counts by kind and status: never by a name that a client chose.
func TestMetrics(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	d := s.blob("alice/app", tenBytes)
	s.table([]row{
		{do: "GET " + at + d, status: 200},
		{do: "GET " + at + digestOf("absent"), status: 404, code: "BLOB_UNKNOWN"},
		{do: "GET /v2/alice/secret-name/tags/list", status: 404, code: "NAME_UNKNOWN"},
	})
	got := s.send(row{do: "GET /metrics", as: "-"})
	for _, line := range []string{
		`berth_http_requests_total{kind="blob.get",status="200"} 1`,
		`berth_http_requests_total{kind="blob.get",status="404"} 1`,
		`berth_http_requests_total{kind="upload.start",status="201"} 1`,
		`berth_http_received_bytes_total{kind="upload.start"} 10`,
		`berth_http_requests_in_flight 0`,
	} {
		if !strings.Contains(got.body, line+"\n") {
			t.Errorf("no %s", line)
		}
	}
	if strings.Contains(got.body, "alice") || strings.Contains(got.body, "secret-name") {
		t.Error("a label has a name that a client chose")
	}
}
