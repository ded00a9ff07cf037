package secret

import (
	"bytes"
	"strings"
	"testing"
)

func TestRandom(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		s := Random(25)
		if len(s) != 40 || seen[s] || !IsRandom(s, 25) || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Fatalf("%q", s)
		}
		seen[s] = true
	}
	s := Random(25)
	for _, bad := range []string{"", s[1:], s + "a", s[:39] + "1", s[:39] + "A", s[:39] + "=", s[:39] + "\n", s[:38] + "\r\n"} {
		if IsRandom(bad, 25) {
			t.Errorf("%q", bad)
		}
	}
}

func TestFits(t *testing.T) {
	sum := Sum("secret")
	if !Fits(sum, "secret") || bytes.Contains(sum, []byte("secret")) {
		t.Error("the secret does not fit, or is its own sum")
	}
	for _, bad := range [][]byte{nil, {}, sum[:31], append(sum, 0), Sum("Secret")} {
		if Fits(bad, "secret") {
			t.Errorf("%x fits", bad)
		}
	}
	if Fits(nil, "") || Fits(sum, "") {
		t.Error("nothing fits")
	}
}
