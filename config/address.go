package config

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

func isHost(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil || len(text) <= 253 && hostName.MatchString(text)
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

// checkListen accepts what a listener takes: :5000, 127.0.0.1:5000, [::1]:5000, localhost:0.
func checkListen(text string) error {
	host, port, err := net.SplitHostPort(text)
	if err != nil || !isPort(port) || host != "" && !isHost(host) {
		return errors.New(`must be host:port or :port such as ":5000", not ` + quote(text))
	}
	return nil
}

// checkHost accepts host and host:port.
func checkHost(text string) error {
	host, port, err := net.SplitHostPort(text)
	if isHost(text) || err == nil && isHost(host) && isPort(port) {
		return nil
	}
	return errors.New("must be host or host:port, not " + quote(text))
}

// checkURL accepts absolute URLs of the schemes. Its errors never show the text: URLs carry passwords.
func checkURL(text string, schemes ...string) error {
	u, err := url.Parse(text)
	if err != nil || !slices.Contains(schemes, u.Scheme) || u.Opaque != "" {
		return errors.New("must be an absolute URL that begins with " + strings.Join(schemes, ":// or ") + "://")
	}
	if u.Scheme == "unix" {
		return nil
	}
	if !isHost(u.Hostname()) || strings.HasSuffix(u.Host, ":") || u.Port() != "" && !isPort(u.Port()) {
		return errors.New("must name a host, and a port if any, after " + u.Scheme + "://")
	}
	return nil
}

// checkBaseURL accepts http(s)://host[:port] and nothing behind it.
func checkBaseURL(text string) error {
	if err := checkURL(text, "http", "https"); err != nil {
		return err
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return err
	case u.User != nil:
		return errors.New("must not hold a user or password")
	case u.Path != "":
		return errors.New("must not have a path, not even a slash at its end")
	case strings.ContainsAny(text, "?#"):
		return errors.New("must not have a query or fragment")
	}
	return nil
}

// setPrefix reads an address range, and says what to write where netip would accept what never matches.
func setPrefix(p *netip.Prefix, text string) error {
	if addr, err := netip.ParseAddr(text); err == nil {
		return errors.New("must be an address range: " + netip.PrefixFrom(addr, addr.BitLen()).String() + " for this address alone")
	}
	parsed, err := netip.ParsePrefix(text)
	if err != nil {
		return errors.New("must be an address range such as 10.0.0.0/8, not " + quote(text))
	}
	if err := checkPrefix(parsed); err != nil {
		return err
	}
	*p = parsed
	return nil
}

func checkPrefix(p netip.Prefix) error {
	switch {
	case !p.IsValid():
		return errors.New("must be an address range such as 10.0.0.0/8")
	case p.Addr().Is4In6():
		return errors.New("must be written as an IPv4 range, not " + quote(p.String()))
	case p.Masked() != p:
		return errors.New("must be " + p.Masked().String() + ": " + p.String() + " is an address within that range")
	}
	return nil
}
