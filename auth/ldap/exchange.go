package ldap

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/go-ldap/ldap/v3"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/oci"
)

// exchange is one conversation with the directory. A name that is not there
// takes the same questions, about nobody. The groups come before the bind: the
// service account may see them, the user perhaps not.
func (d *Directory) exchange(ctx context.Context, q question) (auth.Person, error) {
	conn, err := d.dial(ctx)
	if err != nil {
		return auth.Person{}, failed("connect", err)
	}
	defer func() { _ = conn.Close() }() // there is nothing more to hear
	if d.o.BindDN != "" {
		if err := conn.Bind(d.o.BindDN, d.o.BindPassword); err != nil {
			return auth.Person{}, failed("bind as the service account", err)
		}
	}
	dn, found, err := d.find(conn, q.name)
	if err != nil {
		return auth.Person{}, failed("search the user", err)
	}
	groups, all, err := d.groups(conn, q.name, dn)
	if err != nil {
		return auth.Person{}, failed("search the groups", err)
	}
	if q.password != "" {
		err = conn.Bind(dn, q.password)
	}
	switch {
	case err != nil && !refused(err):
		return auth.Person{}, failed("bind as the user", err)
	case err != nil || !found:
		return auth.Person{}, auth.ErrBadCredentials
	case !all || len(groups) > auth.MaxGroups: // a group that is left out could be one that denies
		return auth.Person{}, fmt.Errorf("%w: the directory has too many groups for you: auth.ldap.group_filter must find %d at most", auth.ErrDenied, auth.MaxGroups)
	}
	return auth.Person{
		Provider: auth.ProviderLDAP,
		Name:     q.name,
		Groups:   groups,
		Admin:    d.o.AdminGroup != "" && slices.Contains(groups, d.o.AdminGroup),
	}, nil
}

// failed is an error of the directory or of how it is configured: the client is
// told that this registry cannot decide now, and the log why.
func failed(doing string, err error) error {
	return fmt.Errorf("%w: directory: %s: %w", oci.ErrUnavailable, doing, err)
}

// find returns the DN of the user, or one that nobody has.
func (d *Directory) find(conn *ldap.Conn, name string) (dn string, found bool, err error) {
	users, all, err := d.search(conn, fill(d.o.UserFilter, name, ""), 1, noAttributes)
	switch {
	case err != nil:
		return "", false, err
	case !all || len(users) > 1:
		return "", false, fmt.Errorf("auth.ldap.user_filter finds several users for the name %s", name)
	case len(users) == 0:
		return "cn=" + rand.Text() + "," + d.o.BaseDN, false, nil
	case users[0].DN == "": // a bind as nobody could succeed
		return "", false, fmt.Errorf("the user %s has no DN", name)
	}
	return users[0].DN, true, nil
}

// groups returns the names of the groups of a user, sorted, and whether that
// are all. What no grant can name is left out.
func (d *Directory) groups(conn *ldap.Conn, name, dn string) (groups []string, all bool, err error) {
	if d.o.GroupFilter == "" {
		return nil, true, nil
	}
	entries, all, err := d.search(conn, fill(d.o.GroupFilter, name, dn), auth.MaxGroups, d.o.GroupAttribute)
	if err != nil {
		return nil, false, err
	}
	for _, entry := range entries {
		for _, group := range entry.GetEqualFoldAttributeValues(d.o.GroupAttribute) {
			if auth.CheckGroup(group) == nil {
				groups = append(groups, group)
			}
		}
	}
	slices.Sort(groups)
	return slices.Compact(groups), all, nil
}

const noAttributes = "1.1" // RFC 4511, section 4.5.1.8

// search returns at most limit entries, and whether that are all: the directory
// may have a limit of its own.
func (d *Directory) search(conn *ldap.Conn, filter string, limit int, attribute string) (entries []*ldap.Entry, all bool, err error) {
	result, err := conn.Search(&ldap.SearchRequest{
		BaseDN:           d.o.BaseDN,
		Scope:            ldap.ScopeWholeSubtree,
		DerefAliases:     ldap.NeverDerefAliases,
		SizeLimit:        limit,
		TimeLimit:        int(timeout.Seconds()),
		Filter:           filter,
		Attributes:       []string{attribute},
		EnforceSizeLimit: true,
	})
	if ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) || errors.Is(err, ldap.ErrSizeLimitExceeded) {
		return result.Entries, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return result.Entries, true, nil
}

// refused reports whether the directory has said no to the name and the
// password: wrong, locked, disabled or nobody's.
func refused(err error) bool {
	return ldap.IsErrorAnyOf(err,
		ldap.LDAPResultInvalidCredentials,
		ldap.LDAPResultInappropriateAuthentication,
		ldap.LDAPResultConstraintViolation,
		ldap.LDAPResultUnwillingToPerform,
		ldap.LDAPResultInsufficientAccessRights,
		ldap.LDAPResultNoSuchObject,
		ldap.LDAPResultInvalidDNSyntax,
	)
}
