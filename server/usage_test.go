package server_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/oci"
)

// told is what a Usage was told.
type told struct {
	mu   sync.Mutex
	list []string
}

func (u *told) tell(what string, who auth.Principal, repo string, ref oci.Reference, d oci.Digest) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.list = append(u.list, fmt.Sprintf("%s %s %s %s %.14s", what, who.ID(), repo, ref, d))
}

func (u *told) Pulled(who auth.Principal, repo string, ref oci.Reference, d oci.Digest, _ time.Time) {
	u.tell("pulled", who, repo, ref, d)
}

func (u *told) Checked(who auth.Principal, repo string, ref oci.Reference, d oci.Digest, _ time.Time) {
	u.tell("checked", who, repo, ref, d)
}

// TestUsage tells of what was served and of nothing else.
func TestUsage(t *testing.T) {
	t.Parallel()
	u := new(told)
	s := newStack(t, settings{usage: u, limits: limited(2)})
	s.pushContent()
	d := digestOf(image("config", "layer"))
	s.table([]row{
		{do: "HEAD /v2/alice/app/manifests/v1", status: 200},
		{do: "HEAD /v2/alice/app/manifests/absent", status: 404},
		{do: "GET /v2/alice/app/manifests/multi", status: 200},
		{do: "GET /v2/alice/app/manifests/" + d, status: 200},
		{do: "GET /v2/alice/app/manifests/v1", with: header{"If-None-Match": `"` + d + `"`}, status: 304},
		{do: "GET /v2/alice/app/manifests/v1", status: 200},
		{do: "GET /v2/alice/app/manifests/v1", status: 429, code: "TOOMANYREQUESTS"},
		{do: "GET /v2/alice/app/manifests/v1", as: "bob", status: 403, code: "DENIED"},
	})
	short := d[:14]
	want := []string{
		"checked user:alice alice/app v1 " + short, "pulled user:alice alice/app " + d + " " + short,
		"checked user:alice alice/app v1 " + short, "pulled user:alice alice/app v1 " + short,
	}
	if fmt.Sprint(u.list) != fmt.Sprint(want) {
		t.Errorf("%q\nwant %q", u.list, want)
	}
	metrics := s.send(row{do: "GET /metrics"}).body
	for _, line := range []string{
		`berth_pulls_total{outcome="allowed",principal="user"} 2`, `berth_pulls_total{outcome="refused",principal="user"} 1`,
		`berth_pulls_total{outcome="refused",principal="anonymous"} 0`, "berth_pull_decision_seconds_count 3",
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("no %s", line)
		}
	}
}
