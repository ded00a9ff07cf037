package config

import (
	"time"

	"github.com/berth-registry/berth/ratelimit"
)

func (r *review) rateLimit(l RateLimit) {
	r.window("ratelimit.window", l.Window)
	r.limit("ratelimit.anonymous", l.Anonymous)
	r.limit("ratelimit.authenticated", l.Authenticated)
	r.limit("ratelimit.robots", l.Robots)
	r.overrides(l.Overrides)
	r.each("ratelimit.exempt_repositories", l.ExemptRepositories, checkPattern)
	r.oneOf("ratelimit.count", l.Count, "images", "every-manifest")
	if l.RequestsPerMinute < 0 || l.RequestsPerMinute > ratelimit.MaxPulls {
		r.add("ratelimit.requests_per_minute", "must be between 0 and %d, not %d", ratelimit.MaxPulls, l.RequestsPerMinute)
	}
}

func (r *review) window(path string, w Duration) {
	const least, most = Duration(ratelimit.MinWindow), Duration(ratelimit.MaxWindow)
	if within(r, path, w, least, most); w > least && w%Duration(time.Second) != 0 {
		r.add(path, "must be whole seconds, not %v", w)
	}
}

func (r *review) limit(path string, l Limit) {
	switch {
	case l < 0:
		r.add(path, "must not be negative")
	case l > ratelimit.MaxPulls:
		r.add(path, "must be at most %d pulls; unlimited is more", ratelimit.MaxPulls)
	}
}

func (r *review) overrides(overrides []Override) {
	for i, o := range overrides {
		path := at("ratelimit.overrides", i)
		r.some(path+".who", o.Who, checkWho)
		if o.Limit < 0 {
			r.add(path+".limit", "must be set, to a number of pulls or unlimited")
		} else {
			r.limit(path+".limit", o.Limit)
		}
		if o.Window != 0 {
			r.window(path+".window", o.Window)
		}
	}
}
