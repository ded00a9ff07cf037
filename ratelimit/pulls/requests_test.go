package pulls_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/berth-registry/berth/ratelimit/pulls"
)

func TestRequests(t *testing.T) {
	r, err := pulls.NewRequests(3, start)
	ok(t, err)
	one, neighbour, other := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("192.0.2.1")
	for i, addr := range []netip.Addr{one, neighbour, one, one, neighbour} {
		allowed, wait := r.Allow(addr, start)
		if allowed != (i < 3) || !allowed && (wait <= 0 || wait > 61*time.Second) {
			t.Errorf("request %d: %t, %v", i+1, allowed, wait)
		}
	}
	if allowed, _ := r.Allow(other, start); !allowed {
		t.Error("another address is refused")
	}
	for range 10 {
		if allowed, _ := r.Allow(netip.Addr{}, start); !allowed {
			t.Error("an address that is not known is refused")
		}
	}
	later := start.Add(62 * time.Second)
	ok(t, r.Sweep(later))
	if allowed, _ := r.Allow(one, later); !allowed {
		t.Error("refused a minute later")
	}
	r.Replace(0)
	for range 10 {
		if allowed, _ := r.Allow(one, later); !allowed {
			t.Error("refused although it is off")
		}
	}
}
