package auth

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/berth-registry/berth/oci"
)

// Policy is a set of grants. It does not change; the nil Policy has none.
type Policy struct {
	grants []Grant
	texts  []string // of the grants, for Decision.Because
}

// NewPolicy returns the policy of the grants, in the order in which
// Decision.Because numbers them (from 1).
func NewPolicy(grants []Grant) *Policy {
	p := &Policy{grants: slices.Clone(grants), texts: make([]string, len(grants))}
	for i, g := range p.grants {
		p.grants[i].Who, p.grants[i].Repositories = slices.Clone(g.Who), slices.Clone(g.Repositories)
		p.texts[i] = fmt.Sprintf("grant %d: %s", i+1, g)
	}
	return p
}

// Decision is the answer of a policy. Because is for administrators (`berth
// explain`), Missing is what a client may be told.
type Decision struct {
	Allowed bool
	Missing Actions // of what was asked; none if allowed
	Because string
}

// Decide says whether p may take all the actions on a repository. Grants that
// match and its own rules add up, a grant that denies wins, what nothing grants
// is denied. Administrators may everything. Of all this a principal that is
// narrowed keeps what lies within. A name that is no repository name is denied
// to everybody. The entries of a token are not looked at: see Gate.
func (p *Policy) Decide(who Principal, repository string, want Actions) Decision {
	if want &= All; want == 0 {
		return Decision{Because: "no action is asked for"}
	}
	rights, because := p.rights(who, repository, want)
	return Decision{Allowed: rights == want, Missing: want &^ rights, Because: because}
}

// rights returns the part of want that who has, and why or why not all of it.
func (p *Policy) rights(who Principal, repository string, want Actions) (rights Actions, because string) {
	if _, err := oci.ParseRepository(repository); err != nil {
		return 0, "this is no repository name"
	}
	rights, because = p.granted(who, repository, want)
	if !who.Narrowed || rights == 0 {
		return rights, because
	}
	within, _ := rightsOf(who.Within, who, repository, rights)
	if within != rights {
		because = fmt.Sprintf("the token of %s does not reach %s here, only %s", who.ID(), rights&^within, reach(who.Within))
	}
	return within, because
}

func reach(within []Rule) string {
	if len(within) == 0 {
		return "nothing"
	}
	return list(within)
}

// granted returns the part of want that who has before anything narrows it.
func (p *Policy) granted(who Principal, repository string, want Actions) (rights Actions, because string) {
	if who.isAdmin() {
		return want, "administrators may everything"
	}
	granted, denied, because := p.collect(who, repository, want)
	if denied == 0 && granted != want {
		because = fmt.Sprintf("no grant lets %s %s here", who.ID(), want&^granted)
	}
	return granted &^ denied, because
}

// collect adds up the grants that match, and who's own rules. The texts are
// those of the grants that deny, if any, else of what allows.
func (p *Policy) collect(who Principal, repository string, want Actions) (granted, denied Actions, because string) {
	if p == nil {
		return 0, 0, ""
	}
	var allows, denies string
	for i := range p.grants {
		g := &p.grants[i]
		hit := g.Actions & want
		if hit == 0 || !g.matches(who, repository) {
			continue
		}
		if g.Deny {
			denies, denied = also(denies, p.texts[i], hit&^denied != 0), denied|hit
		} else {
			allows, granted = also(allows, p.texts[i], hit&^granted != 0), granted|hit
		}
	}
	own, rules := rightsOf(who.Own, who, repository, want)
	if own&^granted != 0 {
		allows = also(allows, "its own rule "+rules, true)
	}
	if denied != 0 {
		return granted | own, denied, denies
	}
	return granted | own, 0, allows
}

func also(texts, text string, isNew bool) string {
	switch {
	case !isNew:
		return texts
	case texts == "":
		return text
	}
	return texts + "; " + text
}

// Intersect returns the part of what is requested that who may have: the
// access of a new token. Rights that are missing shrink the answer and are no
// error; an entry of which nothing is left goes. registry:catalog:* is
// everybody's, because the listing shows only what its reader may pull. If who
// came by a token the answer holds no more than that (CVE-2025-68944).
func (p *Policy) Intersect(who Principal, requested []Access) []Access {
	granted := make([]Access, 0, len(requested))
	for _, a := range requested {
		a.Actions = p.grantable(who, a)
		if a.Actions != 0 {
			granted = append(granted, a)
		}
	}
	return granted
}

func (p *Policy) grantable(who Principal, a Access) Actions {
	a.Actions &= All
	if who.Token {
		a.Actions = who.holds(a)
	}
	switch {
	case a.Type == TypeRepository && a.Actions != 0:
		rights, _ := p.rights(who, a.Name, a.Actions)
		return rights
	case a.Type == TypeRegistry && a.Name == NameCatalog:
		return a.Actions
	}
	return 0
}

// Live holds the policy in force, which a reload replaces. The zero Live
// denies.
type Live struct{ policy atomic.Pointer[Policy] }

// NewLive returns a Live that holds p.
func NewLive(p *Policy) *Live {
	l := new(Live)
	l.Store(p)
	return l
}

// Load returns the policy in force; nil, which denies, if there is none.
func (l *Live) Load() *Policy {
	if l == nil {
		return nil
	}
	return l.policy.Load()
}

// Store puts a policy in force.
func (l *Live) Store(p *Policy) { l.policy.Store(p) }
