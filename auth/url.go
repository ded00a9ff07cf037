package auth

import (
	"errors"
	"net/netip"
	"net/url"
)

// CheckKeysURL says what is wrong with a URL that the keys of an outside issuer
// are to be fetched from. Whoever can change what is fetched can issue tokens,
// so it is https, or http to this machine itself. The error does not show it.
func CheckKeysURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return errors.New("must be a URL with a host")
	case u.User != nil || u.Fragment != "":
		return errors.New("must be a URL without a user, password and fragment")
	case u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("must begin with https://, or with http:// and a loopback address")
}

// isLoopback knows localhost by its name (RFC 6761, section 6.3).
func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}
