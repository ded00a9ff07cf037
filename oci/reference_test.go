package oci

import (
	"errors"
	"strings"
	"testing"

	"github.com/distribution/reference"
)

func TestParseRepository(t *testing.T) {
	long := strings.Repeat("a", MaxRepository)
	for _, good := range []string{"a", "nginx", "library/nginx", "a/b/c/d/e", "a.b", "a_b", "a__b", "a-b", "a---b", "0/9", "docker.io/library/nginx", long} {
		if _, err := ParseRepository(good); err != nil {
			t.Errorf("ParseRepository(%q): %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "/", "a/", "/a", "a//b", "A", "a/B", ".a", "a.", "a..b", "a___b", "_a", "a_", "-a", "a-", "a/./b", "a/../b", "..", "a b", "a%2fb",
		"a\x00b", "ä", "a:b", "a@b", "a\\b", "a._b", "a_-b", long + "a",
	} {
		if _, err := ParseRepository(bad); !errors.Is(err, ErrNameInvalid) {
			t.Errorf("ParseRepository(%q): %v, want NAME_INVALID", bad, err)
		}
	}
}

func TestParseReference(t *testing.T) {
	for _, good := range []string{"latest", "_", "V1.0", "a-b_c.d", strings.Repeat("a", MaxTag), emptySHA256, emptySHA512} {
		r, err := ParseReference(good)
		if err != nil || r.String() != good || (r.Tag == "") == (r.Digest == "") {
			t.Errorf("ParseReference(%q) = %+v, %v", good, r, err)
		}
	}
	for _, bad := range []string{"", ".a", "-a", "a/b", "a b", strings.Repeat("a", MaxTag+1), "ä", "a+b"} {
		if _, err := ParseReference(bad); !errors.Is(err, ErrTagInvalid) {
			t.Errorf("ParseReference(%q): %v", bad, err)
		}
	}
	if _, err := ParseReference("sha256:baddigeststring"); !errors.Is(err, ErrDigestInvalid) {
		t.Errorf("a bad digest: %v", err)
	}
}

// FuzzReference holds the hand-written grammar against distribution's regular
// expressions, which every client shares.
func FuzzReference(f *testing.F) {
	for _, s := range []string{"nginx", "a/b", "a__b", "a..b", "a--b", "latest", "V_1.0", emptySHA256, "a._b", "_x", "x_", "a\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, err := ParseRepository(s)
		oracle := len(s) <= MaxRepository && s == reference.NameRegexp.FindString(s) && onlyPath(s)
		if (err == nil) != oracle {
			t.Errorf("ParseRepository(%q): %v, the oracle says %t", s, err, oracle)
		}
		_, err = ParseTag(s)
		if oracle := s != "" && s == reference.TagRegexp.FindString(s); (err == nil) != oracle {
			t.Errorf("ParseTag(%q): %v, the oracle says %t", s, err, oracle)
		}
		if _, err := ParseDigest(s); err == nil && s != reference.DigestRegexp.FindString(s) {
			t.Errorf("ParseDigest(%q): the oracle refuses it", s)
		}
	})
}

// onlyPath drops what the oracle takes for a host name, which has a grammar
// of its own: upper case and ports.
func onlyPath(s string) bool {
	return s == strings.ToLower(s) && !strings.ContainsAny(s, ":[]") && validHostAsPath(s)
}

// validHostAsPath is the grammar of a path component for the first one, which
// the oracle may have taken for a host.
func validHostAsPath(s string) bool {
	first, _, _ := strings.Cut(s, "/")
	named, err := reference.WithName("localhost/" + first)
	return err == nil && reference.Path(named) == first
}
