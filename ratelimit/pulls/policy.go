package pulls

import (
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/ratelimit"
)

// Policy is the limits of the configuration. It does not change.
type Policy struct {
	Anonymous     ratelimit.Limit // per IPv4 address or IPv6 /64
	Authenticated ratelimit.Limit // per user
	Robots        ratelimit.Limit // per robot, and per principal of an outside issuer
	Window        time.Duration   // of a limit that is set and does not say
	Overrides     []Override
	Exempt        func(repo string) bool // whose pulls do not count; nil: none is exempt
	EveryManifest bool                   // indexes and everything else count too, against twice the limit
	Off           bool                   // nothing is limited, whatever else is said
}

// Override is another limit for those who are meant: for each of them, not for
// all together.
type Override struct {
	Who   []auth.Who
	Limit ratelimit.Limit
}

// Limit returns whose limit is which: that of the most generous override that
// matches, else the default.
func (p *Policy) Limit(who auth.Principal) ratelimit.Limit {
	limit, found := ratelimit.Limit{}, false
	for i := range p.Overrides {
		o := &p.Overrides[i]
		if o.matches(who) && (!found || o.Limit.MoreGenerous(limit)) {
			limit, found = o.Limit, true
		}
	}
	if found {
		return limit
	}
	switch who.Kind {
	case auth.Anonymous:
		return p.Anonymous
	case auth.User:
		return p.Authenticated
	}
	return p.Robots
}

func (o *Override) matches(who auth.Principal) bool {
	for _, w := range o.Who {
		if w.Includes(who) {
			return true
		}
	}
	return false
}

func (p *Policy) exempts(repo string) bool { return p.Exempt != nil && p.Exempt(repo) }

// Key is who is counted: the user, whatever token it came by, the robot, or
// where nobody is known the address.
func Key(who auth.Principal) ratelimit.Key {
	switch who.Kind {
	case auth.User:
		return ratelimit.Named(ratelimit.User, who.Name)
	case auth.Robot:
		return ratelimit.Named(ratelimit.Robot, who.Name)
	case auth.Outside:
		return ratelimit.Named(ratelimit.Outside, who.Name)
	}
	return ratelimit.At(who.Client)
}
