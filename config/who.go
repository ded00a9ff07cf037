package config

import (
	"errors"
	"net/netip"
	"strings"
)

// The forms of `who`.
const (
	whoAnonymous     = "anonymous"
	whoAuthenticated = "authenticated"
	whoUser          = "user"
	whoGroup         = "group"
	whoRobot         = "robot"
	whoIssuer        = "issuer"
	whoRange         = "address range"
)

// parseWho returns which form it is.
func parseWho(text string) (form string, err error) {
	if text == whoAnonymous || text == whoAuthenticated {
		return text, nil
	}
	var prefix netip.Prefix
	if _, err := netip.ParsePrefix(text); err == nil {
		return whoRange, setPrefix(&prefix, text)
	}
	form, name, _ := strings.Cut(text, ":")
	switch form {
	case whoUser, whoIssuer:
		return form, checkWhoName(text, name)
	case whoGroup:
		return form, checkLabel(name)
	case whoRobot:
		if name == "*" {
			return form, nil
		}
		return form, checkWhoName(text, name)
	}
	return "", errors.New("must be anonymous, authenticated, user:NAME, group:NAME, robot:NAME, issuer:WHO or an address range such as 10.0.0.0/8, not " + quote(text))
}

// checkWhoName says what it is about: the form is a part of what was written.
func checkWhoName(text, name string) error {
	if err := checkName(name); err != nil {
		return errors.New(quote(text) + ": the name " + err.Error())
	}
	return nil
}

func checkWho(text string) error {
	_, err := parseWho(text)
	return err
}
