package issuer

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/cache"
	"github.com/berth-registry/berth/auth/internal/reason"
)

// What is remembered takes some 150 MB at the very worst.
const (
	maxRemembered = 5_000   // tokens
	maxRuleTexts  = 1 << 10 // bytes of the rules of one, which take thirty times as much when they are parsed
)

// Trust is what entries say, read. It does not change, but for the keys.
type Trust struct {
	byIssuer   map[string]*trusted
	entries    map[string]bool // ids
	bearers    bool            // there are entries about registry tokens
	remembered *cache.Cache[proof, verified]
}

// trusted is an issuer and all that is trusted of it.
type trusted struct {
	who     string
	source  *source
	entries []*entry
}

// proof is a token that was verified, and as what.
type proof struct {
	sum    [sha256.Size]byte
	tokens Tokens
}

// verified is what came of it. It counts as long as the keys are the same: one
// that an issuer withdraws takes its tokens along.
type verified struct {
	keys   *keySet
	source *source
	who    auth.Principal
}

func newTrust() *Trust {
	return &Trust{
		byIssuer:   make(map[string]*trusted),
		entries:    make(map[string]bool),
		remembered: cache.New[proof, verified](maxRemembered),
	}
}

// Prepare reads entries, and key files with them, and changes nothing yet: see
// Use. Keys that were fetched are taken over. An error names the entry that is
// wrong by its number, from 0.
func (i *Issuers) Prepare(entries []Entry) (*Trust, error) {
	next := newTrust()
	for n, e := range entries {
		if err := i.add(next, e); err != nil {
			return nil, fmt.Errorf("auth.trusted_issuers[%d]: %w", n, err)
		}
	}
	return next, nil
}

func (i *Issuers) add(next *Trust, e Entry) error {
	p, err := parseEntry(e)
	if err != nil {
		return err
	}
	t := next.byIssuer[e.Issuer]
	if t == nil {
		for _, other := range next.byIssuer {
			if other.who == e.Who {
				return errors.New("who stands for another issuer already")
			}
		}
		source, err := i.open(e)
		if err != nil {
			return err
		}
		t = &trusted{who: e.Who, source: source}
		next.byIssuer[e.Issuer] = t
	}
	if t.who != e.Who || t.source.where != e.JWKS {
		return errors.New("entries about one issuer must have the same who and jwks")
	}
	t.entries = append(t.entries, p)
	next.entries[p.id] = true
	next.bearers = next.bearers || p.tokens == Registry
	return nil
}

// open returns the source of an entry: the one in force, unless it is a file,
// which is read again.
func (i *Issuers) open(e Entry) (*source, error) {
	s := &source{issuer: e.Issuer, where: e.JWKS, client: i.client, log: i.log}
	if !s.isFile() {
		if t := i.trust.Load().byIssuer[e.Issuer]; t != nil && t.source.where == e.JWKS {
			return t.source, nil
		}
		return s, nil
	}
	data, err := readFile(e.JWKS)
	if err != nil {
		return nil, fmt.Errorf("jwks: %w", err)
	}
	set, err := parseKeys(data)
	if err != nil {
		return nil, fmt.Errorf("jwks %s: %w", e.JWKS, err)
	}
	s.keys.Store(set)
	return s, nil
}

func (t *Trust) recall(it proof, now time.Time) (auth.Principal, bool) {
	v, ok := t.remembered.Get(it, now)
	if !ok || v.source.keys.Load() != v.keys {
		return auth.Principal{}, false
	}
	return v.who, true
}

func memorable(raw string, p auth.Principal) bool {
	size := 0
	for _, text := range append(auth.RuleTexts(p.Own), auth.RuleTexts(p.Within)...) {
		size += len(text)
	}
	return len(raw) <= cache.MaxToken && size <= maxRuleTexts
}

// has reports whether there is an entry about such tokens of the issuer.
func (t *trusted) has(tokens Tokens) bool {
	return slices.ContainsFunc(t.entries, func(e *entry) bool { return e.tokens == tokens })
}

// fitting returns the entries about such tokens whose audience and required
// claims are the token's; an error if there is none.
func (t *trusted) fitting(tokens Tokens, c claims) ([]*entry, error) {
	audience, err := c.GetAudience()
	if err != nil {
		return nil, err
	}
	var list []*entry
	err = reason.ErrAudience
	for _, e := range t.entries {
		if e.tokens != tokens || !slices.Contains(audience, e.audience) {
			continue
		}
		if !e.wants(c) {
			err = errRequire
			continue
		}
		list = append(list, e)
	}
	if len(list) == 0 {
		return nil, err
	}
	return list, nil
}
