package config

import (
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/berth-registry/berth/auth"
)

func (r *review) auth(c Config) {
	a := c.Auth
	r.check("auth.issuer", checkToken(a.Issuer))
	r.check("auth.service", checkToken(a.Service))
	within(r, "auth.token_ttl", a.TokenTTL, Duration(time.Minute), Duration(time.Hour))
	r.keyFiles(a.Key)
	r.trustedIssuers(a)
	r.grants(a)
	r.users(c)
	r.oidc(c)
	r.ldap(a.LDAP)
}

func (r *review) keyFiles(files Files) {
	if len(files) == 0 {
		r.add("auth.key", "must name at least one file")
	}
	clean := make([]string, len(files))
	for i, f := range files {
		clean[i] = filepath.Clean(f)
		r.check(at("auth.key", i), checkFile(f))
		if first := slices.Index(clean, clean[i]); first < i {
			r.add(at("auth.key", i), "is in the list already, as entry %d", first+1)
		}
	}
}

func (r *review) grants(a Auth) {
	for i, g := range a.Grants {
		path := at("auth.grants", i)
		r.some(path+".who", g.Who, a.checkGrantee)
		r.some(path+".repositories", g.Repositories, checkGrantPattern)
		r.some(path+".actions", g.Actions, checkAction)
	}
}

// checkGrantee accepts a `who`, of issuers those that are configured: another one would never be anybody.
func (a Auth) checkGrantee(text string) error {
	form, err := parseWho(text)
	if err != nil || form != whoIssuer {
		return err
	}
	if !slices.ContainsFunc(a.TrustedIssuers, func(t TrustedIssuer) bool { return "issuer:"+t.Who == text }) {
		return errors.New(quote(text) + " is the who of no entry of auth.trusted_issuers")
	}
	return nil
}

func checkAction(text string) error {
	if slices.Contains([]string{"pull", "push", "delete", "*"}, text) {
		return nil
	}
	return errors.New("must be pull, push, delete or *, not " + quote(text))
}

func (r *review) users(c Config) {
	var seen []string
	for i, u := range c.Auth.Users {
		path := at("auth.users", i)
		r.check(path+".name", checkUserName(u.Name, c.Mirror.Upstreams))
		if slices.Contains(seen, u.Name) {
			r.add(path+".name", "is the name of another user already: %s", quote(u.Name))
		}
		seen = append(seen, u.Name)
		r.check(path+".bcrypt", checkBcrypt(u.Bcrypt))
		r.each(path+".groups", u.Groups, checkLabel)
		if len(u.Groups) > auth.MaxGroups {
			r.add(path+".groups", "must be at most %d groups", auth.MaxGroups)
		}
	}
}

// checkUserName refuses names whose namespace, ${user}/**, belongs to something else.
func checkUserName(text string, upstreams []Upstream) error {
	if err := checkName(text); err != nil {
		return err
	}
	if err := auth.CheckName(text); err != nil { // the same grammar as for stored users
		return err
	}
	if text == "docker.io" || slices.ContainsFunc(upstreams, func(u Upstream) bool { return u.Name == text }) {
		return errors.New(quote(text) + " is the name of an upstream")
	}
	return nil
}

var bcryptHash = regexp.MustCompile(`^\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}$`)

// checkBcrypt never shows the hash. The library's own check looks at the first characters and the length only.
func checkBcrypt(text string) error {
	if _, err := bcrypt.Cost([]byte(text)); err != nil || !bcryptHash.MatchString(text) {
		return errors.New(`must be a bcrypt hash of 60 characters such as htpasswd -nB prints after the colon ("$2y$...")`)
	}
	return nil
}
