package oidc

import "github.com/berth-registry/berth/auth"

// PersonOf is who the login makes of claims.
func (l *Login) PersonOf(c map[string]any) (auth.Person, error) { return l.person(c) }
