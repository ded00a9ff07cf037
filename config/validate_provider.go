package config

import (
	"errors"
	"net/url"
	"reflect"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/ldap"
)

func (r *review) oidc(c Config) {
	o := c.Auth.OIDC
	if o.Issuer == "" {
		r.off("auth.oidc", "issuer", o, defaultOIDC())
		return
	}
	r.check("auth.oidc.issuer", auth.CheckIssuerURL(o.Issuer))
	r.check("auth.oidc.client_id", checkLabel(o.ClientID))
	r.optional("auth.oidc.ca", o.CA, checkFile)
	r.each("auth.oidc.scopes", o.Scopes, checkScope)
	r.check("auth.oidc.name_claim", checkLabel(o.NameClaim))
	r.optional("auth.oidc.groups_claim", o.GroupsClaim, checkLabel)
	r.optional("auth.oidc.admin_group", o.AdminGroup, checkLabel)
	if o.AdminGroup != "" && o.GroupsClaim == "" {
		r.add("auth.oidc.admin_group", "needs auth.oidc.groups_claim too")
	}
	r.requirements("auth.oidc.require", o.Require)
	if c.HTTP.URL == "" {
		r.add("auth.oidc.issuer", "needs http.url too: the provider sends browsers back to it")
	}
}

// off reports keys that mean nothing, because the one that switches their section on is not set.
func (r *review) off(section, key string, have, defaults any) {
	if !reflect.DeepEqual(have, defaults) {
		r.add(section+"."+key, "must be set: without it the other keys of %s mean nothing", section)
	}
}

// checkScope accepts a scope of OAuth (RFC 6749, section 3.3) but openid, which is always there.
func checkScope(text string) error {
	if text == "openid" {
		return errors.New("is always asked for")
	}
	if err := checkToken(text); err != nil {
		return err
	}
	if strings.Contains(text, " ") {
		return errors.New("must be one scope, without spaces")
	}
	return nil
}

func (r *review) ldap(l LDAP) {
	if l.URL == "" {
		r.off("auth.ldap", "url", l, defaultLDAP())
		return
	}
	r.ldapServer(l)
	r.together("auth.ldap.bind_dn", l.BindDN, "auth.ldap.bind_password", l.BindPassword)
	r.check("auth.ldap.base_dn", checkDN(l.BaseDN))
	r.check("auth.ldap.user_filter", ldap.CheckUserFilter(l.UserFilter))
	r.optional("auth.ldap.group_filter", l.GroupFilter, ldap.CheckGroupFilter)
	r.check("auth.ldap.group_attribute", checkLabel(l.GroupAttribute))
	r.optional("auth.ldap.admin_group", l.AdminGroup, checkLabel)
	if l.AdminGroup != "" && l.GroupFilter == "" {
		r.add("auth.ldap.admin_group", "needs auth.ldap.group_filter too")
	}
}

func (r *review) ldapServer(l LDAP) {
	r.check("auth.ldap.url", checkDirectory(l.URL))
	r.optional("auth.ldap.ca", l.CA, checkFile)
	if !l.Insecure {
		return
	}
	if strings.HasPrefix(l.URL, "ldaps://") {
		r.add("auth.ldap.insecure", "cannot be together with ldaps://")
	}
	if l.CA != "" {
		r.add("auth.ldap.insecure", "cannot be together with auth.ldap.ca")
	}
}

// checkDirectory accepts ldap(s)://host[:port] and nothing behind it.
func checkDirectory(text string) error {
	if err := checkURL(text, "ldap", "ldaps"); err != nil {
		return err
	}
	u, err := url.Parse(text)
	if err == nil && (u.User != nil || u.Path != "" || strings.ContainsAny(text, "?#")) {
		err = errors.New("must be ldap(s)://host or ldap(s)://host:port, with nothing behind it")
	}
	return err
}

func checkDN(text string) error {
	if _, err := goldap.ParseDN(text); err != nil || text == "" {
		return errors.New("must be a distinguished name such as dc=example,dc=org, not " + quote(text))
	}
	return nil
}
