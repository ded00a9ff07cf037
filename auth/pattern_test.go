package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/oci"
)

func TestPattern(t *testing.T) {
	for _, tc := range []struct{ pattern, user, yes, no string }{
		{"a", "", "a", "b a/a aa"},
		{"a/b", "", "a/b", "a a/b/c b/a/b a/bb"},
		{"*", "", "a abc a.b", "a/b"},
		{"a*", "", "a ab a-b", "ba a/b ab/a"},
		{"*a", "", "a ba", "ab a/a"},
		{"*a*b*", "", "ab xaxbx aab abb", "ba a/b xa"},
		{"*/x", "", "a/x", "x a/b/x a/xx"},
		{"x/*", "", "x/a", "x x/a/b"},
		{"team/*-ci", "", "team/a-ci team/b-ci", "team/ci team/a/b-ci team/a-cix"},
		{"**", "", "a a/b a/b/c", ""},
		{"**/**", "", "a a/b a/b/c", ""},
		{"team/**", "", "team/a team/a/b", "team teams/a x/team/a"},
		{"**/x", "", "x a/x a/b/x x/x", "x/a xx a/xx"},
		{"a/**/b", "", "a/b a/x/b a/x/y/b a/b/b", "a b a/b/c a/x"},
		{"a/**/b/**/c", "", "a/b/c a/x/b/y/c a/b/b/c/c", "a/c/b a/b a/x/c"},
		{"**/a/*/b", "", "a/x/b a/a/x/b a/a/b", "a/b a/x/y/b"},
		{"**/*", "", "a a/b", ""},
		{"*/**", "", "a/b a/b/c", "a"},
		{"a/**/*", "", "a/b a/b/c", "a"},
		{"${user}/**", "alice", "alice/a alice/a/b", "alice bob/a alice2/a"},
		{"x/${user}", "alice", "x/alice", "x x/bob x/alice/a"},
		{"x/${user}-*", "alice", "x/alice-a", "x/alice x/bob-a"},
		{"*${user}*", "aa", "aa aaa xaax", "a xax"},
		{"${user}/**", "", "", "a a/b user/a"},
		{"*${user}", "", "", "a ab"},
		{"${user}", "*", "", "a ab"},
		{"${user}/x", "**", "", "a/x a/b/x x"},
		{"${user}", "${user}", "", "a user"},
	} {
		p, err := auth.ParsePattern(tc.pattern)
		if err != nil {
			t.Fatal(err)
		}
		for name := range strings.FieldsSeq(tc.yes) {
			if !p.Match(name, tc.user) {
				t.Errorf("%s (%s) does not match %s", tc.pattern, tc.user, name)
			}
		}
		for name := range strings.FieldsSeq(tc.no) {
			if p.Match(name, tc.user) {
				t.Errorf("%s (%s) matches %s", tc.pattern, tc.user, name)
			}
		}
	}
}

func TestPatternRefused(t *testing.T) {
	for _, s := range []string{
		"", "/", "a/", "/a", "a//b", "a**", "**a", "a/b**", "***", "A", "a b", "a?", "[a]", "a..b", "-a", "a-",
		"$user", "${name}", "${user", "${USER}", "{a,b}", "!a", "é", "a\n", "a:5000/b", strings.Repeat("a/", 1024) + "a",
	} {
		if p, err := auth.ParsePattern(s); err == nil {
			t.Errorf("%q is a pattern: %v", s, p)
		}
	}
}

func TestZeroPattern(t *testing.T) {
	var p auth.Pattern
	for _, name := range []string{"", "a", "a/b"} {
		if p.Match(name, "") {
			t.Errorf("the zero pattern matches %q", name)
		}
	}
}

// Patterns that make a backtracking matcher explode take no time worth
// mentioning.
func TestPatternHasNoBlowUp(t *testing.T) {
	name := strings.Repeat("a/", 126) + "a"
	for _, s := range []string{
		strings.Repeat("**/a/", 100) + "b",
		strings.Repeat("**/*a*/", 100) + "b",
		strings.Repeat("*a", 200) + "b",
		strings.Repeat("**/", 500) + "b",
	} {
		p, err := auth.ParsePattern(s)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if p.Match(name, "") || p.Match(strings.Repeat("a", 255), "") {
			t.Errorf("%s matches", s)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s took %v", s, took)
		}
	}
}

// FuzzPattern compares Match with a naive one, and what it does not accept
// with the rules.
func FuzzPattern(f *testing.F) {
	for _, s := range [][3]string{
		{"team/**", "team/a/b", ""}, {"**", "a", ""}, {"**/x", "a/x", ""}, {"a/**/b", "a/b", ""}, {"*a*b*", "xaxbx", ""},
		{"${user}/**", "alice/x", "alice"}, {"*${user}*", "aaa", "aa"}, {"a/**/b/**/c", "a/x/b/y/c", ""},
		{"**/a/**/a/**", "a/a/a/b", ""}, {"${user}", "*", "*"}, {"a//b", "a//b", ""}, {"***", "a", ""},
	} {
		f.Add(s[0], s[1], s[2])
	}
	f.Fuzz(func(t *testing.T, pattern, name, user string) {
		p, err := auth.ParsePattern(pattern)
		if err != nil {
			return
		}
		if len(pattern) > 60 || len(name) > 60 {
			p.Match(name, user) // ends, does not panic; the naive one would not end
			return
		}
		if _, err := oci.ParseRepository(name); err != nil {
			p.Match(name, user)
			return
		}
		if got, want := p.Match(name, user), naiveMatch(pattern, name, user); got != want {
			t.Errorf("%q on %q for %q: %v, want %v", pattern, name, user, got, want)
		}
	})
}

func naiveMatch(pattern, name, user string) bool {
	return naiveParts(strings.Split(pattern, "/"), strings.Split(name, "/"), user)
}

// naiveParts follows the text of the documentation.
func naiveParts(parts, names []string, user string) bool {
	if len(parts) == 0 {
		return len(names) == 0
	}
	if parts[0] != "**" {
		return len(names) > 0 && naivePart(parts[0], names[0], user) && naiveParts(parts[1:], names[1:], user)
	}
	if len(parts) == 1 {
		return len(names) > 0
	}
	for n := range len(names) + 1 {
		if naiveParts(parts[1:], names[n:], user) {
			return true
		}
	}
	return false
}

func naivePart(pattern, s, user string) bool {
	if pattern == "" {
		return s == ""
	}
	if rest, ok := strings.CutPrefix(pattern, "${user}"); ok {
		after, has := strings.CutPrefix(s, user)
		return user != "" && has && naivePart(rest, after, user)
	}
	if pattern[0] == '*' {
		return naivePart(pattern[1:], s, user) || s != "" && naivePart(pattern, s[1:], user)
	}
	return s != "" && s[0] == pattern[0] && naivePart(pattern[1:], s[1:], user)
}
