package server_test

import (
	"net/http"
	"testing"

	"github.com/berth-registry/berth/ratelimit/pulls"
)

// nowhere takes an answer.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) WriteHeader(int)             {}
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }

// TestLimitAllocations compares pulls with and without a limit: the decision
// allocates nothing, the five headers a string, a slice, and room in the map.
func TestLimitAllocations(t *testing.T) {
	if testing.Short() {
		t.Skip("under the race detector pools forget")
	}
	var allocs [2]float64
	for i, policy := range []*pulls.Policy{nil, limited(1_000_000)} {
		s := newStack(t, settings{limits: policy})
		s.blob("alice/app", "config")
		s.manifest("alice/app", "v1", image("config"))
		r := s.request(row{do: "GET /v2/alice/app/manifests/v1", as: bearer(s.token("alice", "repository:alice/app:pull"))})
		allocs[i] = testing.AllocsPerRun(200, func() {
			again := *r
			s.handler.ServeHTTP(nowhere{http.Header{}}, &again)
		})
	}
	t.Logf("%v allocations without a limit, %v with one", allocs[0], allocs[1])
	if more := allocs[1] - allocs[0]; more > 8 {
		t.Errorf("%v allocations more, at most 8", more)
	}
}
