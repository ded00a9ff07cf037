package ratelimit_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/berth-registry/berth/ratelimit"
)

func TestKey(t *testing.T) {
	at := func(s string) ratelimit.Key { return ratelimit.At(netip.MustParseAddr(s)) }
	tests := []struct {
		key              ratelimit.Key
		text, name, kind string
	}{
		{ratelimit.Named(ratelimit.User, "alice"), "user:alice", "alice", "user"},
		{ratelimit.Named(ratelimit.Robot, "ci"), "robot:ci", "ci", "robot"},
		{ratelimit.Named(ratelimit.Outside, "gitlab:project_path:a/b:ref:main"), "outside:gitlab:project_path:a/b:ref:main", "gitlab:project_path:a/b:ref:main", "outside"},
		{at("203.0.113.7"), "203.0.113.7", "203.0.113.7", "anonymous"},
		{at("::ffff:203.0.113.7"), "203.0.113.7", "203.0.113.7", "anonymous"},
		{at("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64", "2001:db8:1:2::", "anonymous"},
		{at("::1"), "::/64", "::", "anonymous"},
		{at("0.0.0.0"), "0.0.0.0", "0.0.0.0", "anonymous"},
		{ratelimit.At(netip.Addr{}), "anonymous", "unknown", "anonymous"},
	}
	for i, tt := range tests {
		if tt.key.String() != tt.text || tt.key.Name() != tt.name || tt.key.Kind().String() != tt.kind {
			t.Errorf("%s, %s, %s: want %s, %s, %s", tt.key, tt.key.Name(), tt.key.Kind(), tt.text, tt.name, tt.kind)
		}
		if got, err := ratelimit.ParseKey(tt.text); err != nil || got != tt.key {
			t.Errorf("%s was read as %s, %v", tt.text, got, err)
		}
		for j, other := range tests[:i] {
			if same := tt.key == other.key; same != (tt.text == other.text) {
				t.Errorf("%s and %s are the same key: %t", tt.text, tests[j].text, same)
			}
		}
	}
	if one, other := at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::"); one != other {
		t.Error("two addresses of a /64 are two keys")
	}
	if at("2001:db8:1:2::1") == at("2001:db8:1:3::1") {
		t.Error("two /64 are one key")
	}
}

func TestParseKeyRefuses(t *testing.T) {
	for _, s := range []string{
		"", "alice", "user:", "user", "group:ci", "anonymous:x", "203.0.113.7/64", "::ffff:203.0.113.7/64", "203.0.113.0/24", "2001:db8::/32",
		"fe80::1%eth0", "unknown:x", "user:" + strings.Repeat("x", 1025),
	} {
		if k, err := ratelimit.ParseKey(s); err == nil {
			t.Errorf("%q was read as %s", s, k)
		}
	}
	if k, err := ratelimit.ParseKey("2001:db8::1"); err != nil || k.String() != "2001:db8::/64" {
		t.Errorf("%s, %v", k, err)
	}
}

func FuzzParseKey(f *testing.F) {
	for _, s := range []string{"user:alice", "2001:db8::/64", "203.0.113.7", "anonymous", "::ffff:1.2.3.4", "fe80::1%x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k, err := ratelimit.ParseKey(s)
		if err != nil {
			return
		}
		if again, err := ratelimit.ParseKey(k.String()); err != nil || again != k {
			t.Errorf("%q is %s, which is %s, %v", s, k, again, err)
		}
	})
}
