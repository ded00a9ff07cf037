package config

import (
	"net/netip"
	"strings"
	"time"

	"github.com/berth-registry/berth/ratelimit"
)

// Notes returns what is allowed in c and may still surprise: where several entries are meant for the same client, which one
// wins. Like Validate it is pure, and its entries have a Path and a Message.
func Notes(c Config) Problems {
	var r review
	overrides := c.RateLimit.Overrides
	for j := range overrides {
		for i := range j {
			r.overlap(c.RateLimit, i, j)
		}
	}
	return r.problems
}

// overlap notes which of two overrides wins, at each entry of the second one that the first one means too.
func (r *review) overlap(l RateLimit, i, j int) {
	one, other := l.Overrides[i], l.Overrides[j]
	winner, limit := i, l.limit(one)
	if l.limit(other).MoreGenerous(limit) {
		winner, limit = j, l.limit(other)
	}
	for n, b := range other.Who {
		for _, a := range one.Who {
			if meansSame(a, b) {
				r.add(at(at("ratelimit.overrides", j)+".who", n), "%s overlaps %s of %s: the most generous wins, that is %s with %s",
					b, a, at("ratelimit.overrides", i), at("ratelimit.overrides", winner), limit)
				break
			}
		}
	}
}

func (l RateLimit) limit(o Override) ratelimit.Limit {
	window := o.Window
	if window == 0 {
		window = l.Window
	}
	return ratelimit.Limit{Pulls: int64(o.Limit), Window: time.Duration(window)}
}

// meansSame reports whether two texts of who are sure to mean some of the same clients. Who is in a group, and from where somebody
// asks, is not known here.
func meansSame(a, b string) bool {
	if p, err := netip.ParsePrefix(a); err == nil {
		q, err := netip.ParsePrefix(b)
		return err == nil && p.Overlaps(q)
	}
	return a == b || contains(a, b) || contains(b, a)
}

func contains(all, one string) bool {
	form, _, _ := strings.Cut(one, ":")
	switch all {
	case "robot:*":
		return form == "robot"
	case "authenticated":
		return form == "user" || form == "group" || form == "robot"
	}
	return false
}
