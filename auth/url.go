package auth

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// CheckIssuerURL says what is wrong with the URL of an issuer that is asked
// where its keys are (OpenID Connect Discovery 1.0, section 4.1): what is asked
// for is its own path with another behind it, so there is no query.
func CheckIssuerURL(text string) error {
	if strings.Contains(text, "?") {
		return errors.New("must be a URL without a query")
	}
	return CheckKeysURL(text)
}

// CheckKeysURL says what is wrong with a URL that the keys of an outside issuer
// are to be fetched from. Whoever can change what is fetched can issue tokens,
// so it is https, or http to this machine itself. The error does not show it.
func CheckKeysURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "" || strings.HasSuffix(u.Host, ":"):
		return errors.New("must be a URL with a host")
	case u.User != nil || strings.Contains(text, "#"):
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
