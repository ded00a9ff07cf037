package config

import "time"

// A ring of 73 slots cannot tell less than a second apart in a window much shorter than leastWindow.
const (
	leastWindow = Duration(time.Minute)
	mostWindow  = 31 * day
)

func (r *review) rateLimit(l RateLimit) {
	within(r, "ratelimit.window", l.Window, leastWindow, mostWindow)
	notNegative(r, "ratelimit.anonymous", l.Anonymous)
	notNegative(r, "ratelimit.authenticated", l.Authenticated)
	notNegative(r, "ratelimit.robots", l.Robots)
	r.overrides(l.Overrides)
	r.each("ratelimit.exempt_repositories", l.ExemptRepositories, checkPattern)
	r.oneOf("ratelimit.count", l.Count, "images", "every-manifest")
	notNegative(r, "ratelimit.requests_per_minute", l.RequestsPerMinute)
}

func (r *review) overrides(overrides []Override) {
	for i, o := range overrides {
		path := at("ratelimit.overrides", i)
		r.some(path+".who", o.Who, checkWho)
		if o.Limit < 0 {
			r.add(path+".limit", "must be set, to a number of pulls or unlimited")
		}
		if o.Window != 0 {
			within(r, path+".window", o.Window, leastWindow, mostWindow)
		}
	}
}
