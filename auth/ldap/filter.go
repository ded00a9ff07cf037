package ldap

import (
	"errors"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// The variables of filters, which stand for one value each and never for a
// part of the filter.
const (
	userVariable = "${user}"
	dnVariable   = "${dn}"
)

// CheckUserFilter says what is wrong with the filter that finds a user: it must
// have ${user}, or everybody would be found.
func CheckUserFilter(filter string) error {
	if !strings.Contains(filter, userVariable) {
		return errors.New("the filter of users must have ${user} in it, such as (uid=${user})")
	}
	if strings.Contains(filter, dnVariable) {
		return errors.New("the filter of users cannot have ${dn}: it is what the filter finds out")
	}
	return checkFilter(filter)
}

// CheckGroupFilter says what is wrong with the filter that finds the groups of
// a user: it must have ${dn} or ${user}, or everybody would be in every group.
func CheckGroupFilter(filter string) error {
	if !strings.Contains(filter, dnVariable) && !strings.Contains(filter, userVariable) {
		return errors.New("the filter of groups must have ${dn} or ${user} in it, such as (member=${dn})")
	}
	return checkFilter(filter)
}

func checkFilter(filter string) error {
	filled := fill(filter, "name", "cn=name")
	if _, err := ldap.CompileFilter(filled); err != nil || strings.Contains(filled, "${") {
		return errors.New("this is no LDAP filter (RFC 4515) with the variables ${user} and ${dn}")
	}
	return nil
}

// fill puts the values into a filter, each as one value whatever is in it.
func fill(filter, user, dn string) string {
	return strings.NewReplacer(userVariable, ldap.EscapeFilter(user), dnVariable, ldap.EscapeFilter(dn)).Replace(filter)
}
