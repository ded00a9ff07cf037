package issuer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/oci"
)

// Tokens is a kind of tokens.
type Tokens string

// The kinds of tokens.
const (
	Identity Tokens = "identity" // OIDC ID tokens, the password of Basic
	Registry Tokens = "registry" // with an access claim, Bearer
)

// Entry is one of auth.trusted_issuers. Several may be about one issuer: they
// have the same JWKS and Who, and whatever of them fits a token adds up.
type Entry struct {
	Issuer       string            // iss
	JWKS         string            // a file, a URL, or "" for OIDC discovery
	Audience     string            // aud must have it
	Who          string            // what principals are called by
	Tokens       Tokens            // that it is about
	Require      map[string]string // claims and the auth.Glob that each must match; at least one for Identity
	Repositories []string          // auth.Template: of the rules, or of the ceiling
	Actions      []string
}

// entry is an Entry that was read.
type entry struct {
	id           string // changes with whatever is changed about it
	tokens       Tokens
	audience     string
	require      []auth.Requirement
	repositories []auth.Template
	actions      auth.Actions
}

func parseEntry(e Entry) (*entry, error) {
	switch {
	case e.Issuer == "" || e.Audience == "":
		return nil, errors.New("the issuer and the audience must be there")
	case !oci.ValidComponent(e.Who):
		return nil, errors.New("who is not one component of a repository name")
	case e.Tokens != Identity && e.Tokens != Registry:
		return nil, fmt.Errorf("tokens are %s or %s", Identity, Registry)
	case e.Tokens == Identity && len(e.Require) == 0:
		return nil, errors.New("identity tokens need a claim that is required: everybody can get one")
	}
	p := &entry{id: idOf(e), tokens: e.Tokens, audience: e.Audience}
	var err error
	if p.require, err = auth.ParseRequirements(e.Require); err != nil {
		return nil, err
	}
	for _, text := range e.Repositories {
		t, err := auth.ParseTemplate(text)
		if err != nil {
			return nil, err
		}
		p.repositories = append(p.repositories, t)
	}
	p.actions, err = auth.ParseActions(e.Actions)
	return p, err
}

// idOf tells entries apart, for Standing: it is short because it stands in
// tokens, and no secret.
func idOf(e Entry) string {
	data, _ := json.Marshal(e) // text, which cannot fail; maps are sorted
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// wants reports whether the claims are those that the entry requires.
func (e *entry) wants(c claims) bool {
	for _, r := range e.require {
		if !r.Glob.Match(c.text(r.Claim)) {
			return false
		}
	}
	return true
}

// rules are the repositories of the entry for a token. What a claim leaves
// without a pattern is left out, and so is what no rule can be as long as.
func (e *entry) rules(c claims) []auth.Rule {
	var rules []auth.Rule
	for _, t := range e.repositories {
		p, ok := t.Expand(c.text)
		if !ok {
			continue
		}
		r, err := auth.ParseRule(auth.Rule{Repositories: p, Actions: e.actions}.String())
		if err == nil {
			rules = append(rules, r)
		}
	}
	return rules
}
