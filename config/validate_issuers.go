package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/berth-registry/berth/auth"
)

func (r *review) trustedIssuers(a Auth) {
	for i, t := range a.TrustedIssuers {
		path := at("auth.trusted_issuers", i)
		r.check(path+".issuer", checkLabel(t.Issuer))
		if t.Issuer == a.Issuer {
			r.add(path+".issuer", "must differ from auth.issuer")
		}
		r.check(path+".jwks", t.checkKeys())
		r.check(path+".audience", checkLabel(t.Audience))
		r.check(path+".who", checkIssuerName(t.Who))
		r.oneOf(path+".tokens", t.Tokens, tokensIdentity, tokensRegistry)
		r.require(path+".require", t)
		r.some(path+".repositories", t.Repositories, checkClaimPattern)
		if len(t.Repositories) > auth.MaxRules {
			r.add(path+".repositories", "must be at most %d patterns", auth.MaxRules)
		}
		r.some(path+".actions", t.Actions, checkAction)
		r.oneIssuer(path, t, a.TrustedIssuers[:i])
	}
}

// oneIssuer wants one name and one source of keys for each issuer, and a name for no two of them.
func (r *review) oneIssuer(path string, t TrustedIssuer, before []TrustedIssuer) {
	for i, other := range before {
		switch same := t.Issuer == other.Issuer; {
		case same && t.Who != other.Who:
			r.add(path+".who", "must be %s, as in entry %d about the same issuer", quote(other.Who), i+1)
			return
		case !same && t.Who == other.Who && t.Who != "":
			r.add(path+".who", "must differ from that of entry %d, which is about another issuer", i+1)
			return
		case same && t.JWKS != other.JWKS:
			r.add(path+".jwks", "must be the same as in entry %d about the same issuer", i+1)
			return
		}
	}
}

// checkKeys accepts a file, a URL, and nothing for an issuer that can be asked where its keys are.
func (t TrustedIssuer) checkKeys() error {
	switch {
	case strings.Contains(t.JWKS, "://"):
		return auth.CheckKeysURL(t.JWKS)
	case t.JWKS != "":
		return checkFile(t.JWKS)
	case auth.CheckIssuerURL(t.Issuer) != nil:
		return errors.New("must be set: the issuer is no https:// URL that could be asked for its keys")
	}
	return nil
}

func checkIssuerName(text string) error {
	if err := checkName(text); err != nil {
		return err
	}
	if auth.CheckName(text) != nil {
		return errors.New(quote(text) + " is a reserved word, or longer than 64 bytes")
	}
	return nil
}

// require wants of identity tokens, which everybody can get, that they say whose they are.
func (r *review) require(path string, t TrustedIssuer) {
	bound := false
	for claim, g := range r.requirements(path, t.Require) {
		bound = bound || bindsOwner(t.Issuer, claim, g)
	}
	switch {
	case t.Tokens != tokensIdentity:
	case len(t.Require) == 0:
		r.add(path, "must name a claim that says whose the token is, such as repository_owner: everybody can get one")
	case !bound:
		r.add(path, "must say whose the token is: %s, without * before its first slash", ownerClaims(t.Issuer))
	}
}

// requirements reads what is required of claims, and returns what is good of it.
func (r *review) requirements(path string, require map[string]string) map[string]auth.Glob {
	globs := make(map[string]auth.Glob)
	for _, claim := range slices.Sorted(maps.Keys(require)) {
		g, err := auth.ParseGlob(require[claim])
		r.check(join(path, showKey(claim)), err)
		r.check(join(path, showKey(claim)), checkClaim(claim))
		if err == nil {
			globs[claim] = g
		}
	}
	return globs
}

// checkClaim refuses what is compared anyway, and would be thought to be compared twice.
func checkClaim(name string) error {
	if slices.Contains([]string{"iss", "aud", "exp", "nbf", "iat", "jti", "access"}, name) {
		return errors.New("is no claim that can be required")
	}
	return checkLabel(name)
}

// owners are the claims that say whose a token is, of issuers where everybody has an account, and how they begin. Others, such as the
// branch or the reusable workflow, can be the same in anybody's token. The sources are GitHub's and GitLab's references of their claims.
var owners = map[string]map[string]string{
	"https://token.actions.githubusercontent.com": {
		"repository": "", "repository_id": "", "repository_owner": "", "repository_owner_id": "",
		"enterprise": "", "enterprise_id": "", "workflow_ref": "", "sub": "repo:", // which an organisation may let begin otherwise
	},
	"https://gitlab.com": {"namespace_path": "", "namespace_id": "", "project_path": "", "project_id": "", "sub": "project_path:"},
}

func bindsOwner(issuer, claim string, g auth.Glob) bool {
	known, public := owners[issuer]
	prefix, names := known[claim]
	return g.PinsOwner() && (!public || names && strings.HasPrefix(g.String(), prefix))
}

func ownerClaims(issuer string) string {
	if known, public := owners[issuer]; public {
		return fmt.Sprintf("one of %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	}
	return "one claim"
}

// checkClaimPattern accepts repository patterns in which ${claim:NAME} stands for what a token claims.
func checkClaimPattern(text string) error {
	if strings.Contains(text, userVariable) {
		return errors.New(userVariable + " is no user here; ${claim:NAME} stands for a claim of the token")
	}
	if len(text) > maxName {
		return errors.New("must be a repository pattern of at most 255 characters")
	}
	if _, err := auth.ParseTemplate(text); err != nil {
		return errors.New("must be a repository pattern such as team/** or ci/${claim:project_path}/**: " + err.Error())
	}
	return nil
}
