package differential

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/server"
)

// coverage is which kinds of requests the fixed cases made, and which errors
// they met.
type coverage struct {
	kinds  map[server.Kind]bool
	errors map[string]bool // outcomes
}

func (c *coverage) note(method, target string, a answer) {
	if c.kinds == nil {
		c.kinds, c.errors = map[server.Kind]bool{}, map[string]bool{}
	}
	c.errors[a.outcome()] = true
	u, err := url.Parse(target)
	if err != nil {
		return
	}
	if req, err := server.Parse(method, u); err == nil && a.status < 400 {
		c.kinds[req.Kind] = true
	}
}

// elsewhere are the errors that this test cannot meet, and why.
var elsewhere = map[*oci.Error]string{
	oci.ErrUnauthorized:    "there are no accounts",
	oci.ErrDenied:          "there are no accounts",
	oci.ErrTooLarge:        "blobs have no limit",
	oci.ErrTooManyRequests: "nobody opens 1000 sessions",
	oci.ErrUnavailable:     "nothing fails",
	oci.ErrStorageFull:     "nothing fails",
	oci.ErrUnknown:         "nothing fails",
}

// check fails for each kind that never succeeded and each error that never
// was met.
func (c *coverage) check(t *testing.T) {
	t.Helper()
	for k := server.GetBase; k <= server.ListRepositories; k++ {
		if !c.kinds[k] {
			t.Errorf("no fixed case succeeds with %s", k)
		}
	}
	for _, e := range oci.Errors() {
		met := c.errors[fmt.Sprint(e.Status, " ", e.Code)]
		if _, excused := elsewhere[e]; met == excused {
			t.Errorf("%d %s: met %v, said to be tested elsewhere %v", e.Status, e.Code, met, excused)
		}
	}
}
