package server_test

import (
	"strings"
	"testing"
	"time"
)

// TestFlood bounds requests of every kind but for health probes.
func TestFlood(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{perMinute: 5})
	for i, do := range []string{"GET /v2/", "GET /token", "GET /absent", "POST /v2/alice/app/blobs/uploads/", "GET /metrics", "GET /v1/_ping"} {
		if got := s.send(row{do: do}); got.StatusCode == 429 {
			t.Errorf("request %d is refused", i+1)
		}
	}
	flooded := row{do: "GET /v2/", status: 429, code: "TOOMANYREQUESTS", has: `"message":"Too Many Requests"`}
	s.table([]row{flooded, {do: "GET /token", status: 429, code: "TOOMANYREQUESTS"}, {do: "GET /absent", status: 429, code: "TOOMANYREQUESTS"}})
	s.table([]row{{do: "GET /healthz", status: 200}, {do: "GET /readyz", status: 200}})
	if got := s.send(row{do: "GET /metrics"}); !strings.Contains(got.body, "berth_http_requests_flooded_total 3") {
		t.Error("the refusals are in no metric")
	}
	if got := s.send(flooded); got.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.clock.advance(61 * time.Second)
	s.table([]row{{do: "GET /v2/", status: 200}})
}
