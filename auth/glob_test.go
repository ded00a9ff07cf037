package auth_test

import (
	"strings"
	"testing"

	"github.com/berth-registry/berth/auth"
)

func TestGlob(t *testing.T) {
	for _, tc := range []struct{ pattern, yes, no string }{
		{"octo-org", "octo-org", "octo-Org octo-org/ /octo-org octo-org2 *"},
		{"Octo-Org/*", "Octo-Org/app Octo-Org/ Octo-Org/*", "Octo-Org octo-org/app Octo-Org/a/b Octo-Orgs/a"},
		{"octo-*", "octo- octo-org octo-evil", "octo octo-org/a"},
		{"*", "a a:b ** ${user}", "a/b /"},
		{"**", "a a/b a//b / /a", ""},
		{"refs/heads/release-*", "refs/heads/release- refs/heads/release-1.2", "refs/heads/release refs/heads/release-1/x refs/tags/release-1"},
		{"repo:octo/**", "repo:octo/app:ref:refs/heads/main repo:octo/a", "repo:octo repo:octo2/app repo:octopus/octo/a"},
		{"repo:octo/*:ref:refs/heads/main", "repo:octo/app:ref:refs/heads/main", "repo:octo/app:pull_request repo:octo/x/app:ref:refs/heads/main"},
		{"**/app", "app a/app a/b/app", "app/a xapp"},
		{"a/**/b", "a/b a/x/b a//b", "a b"},
		{"${user}", "${user}", "user alice"},
		{"https://host/x", "https://host/x", "https:/host/x"},
		{"ü*", "ü über", "u"},
	} {
		g, err := auth.ParseGlob(tc.pattern)
		if err != nil || g.String() != tc.pattern {
			t.Fatal(g, err)
		}
		for text := range strings.FieldsSeq(tc.yes) {
			if !g.Match(text) {
				t.Errorf("%s does not match %s", tc.pattern, text)
			}
		}
		for text := range strings.FieldsSeq(tc.no) {
			if g.Match(text) {
				t.Errorf("%s matches %s", tc.pattern, text)
			}
		}
		if g.Match("") {
			t.Errorf("%s matches nothing at all", tc.pattern)
		}
	}
	if (auth.Glob{}).Match("a") {
		t.Error("the zero glob matches")
	}
	for _, s := range []string{"", "a**", "**a/b", "a/***", "a\nb", "a\x00", "\xff", strings.Repeat("a", 2049)} {
		if g, err := auth.ParseGlob(s); err == nil {
			t.Errorf("%q: %v", s, g)
		}
	}
}

func TestPinsOwner(t *testing.T) {
	for pattern, want := range map[string]bool{
		"octo": true, "octo/*": true, "octo/**": true, "repo:octo/*": true, "a b": true,
		"*": false, "**": false, "octo*": false, "octo-*/app": false, "*/app": false, "**/app": false, "/octo": false,
	} {
		if g, err := auth.ParseGlob(pattern); err != nil || g.PinsOwner() != want {
			t.Errorf("%s: %v, %v", pattern, g.PinsOwner(), err)
		}
	}
}

func TestTemplate(t *testing.T) {
	claims := map[string]string{
		"path": "group/sub/app", "owner": "octo", "dots": "..", "deep": "**", "star": "*", "user": "${user}", "again": "${claim:owner}",
		"slash": "a//b", "end": "a/", "front": "/a", "up": "a/../b", "case": "Octo/App", "empty": "", "space": "a b", "null": "a\x00",
		"a.b_C-1": "odd", "long": strings.Repeat("a", 255), "huge": strings.Repeat("a/", 127) + "ab",
	}
	for template, want := range map[string]string{
		"ci/${claim:path}/**":          "ci/group/sub/app/**",
		"${claim:path}":                "group/sub/app",
		"${claim:owner}-images/*":      "octo-images/*",
		"x-${claim:owner}/a":           "x-octo/a",
		"${claim:owner}${claim:owner}": "octoocto",
		"${claim:a.b_C-1}/x":           "odd/x",
		"plain/**":                     "plain/**",
		"${claim:long}/**":             strings.Repeat("a", 255) + "/**",
		// The path in a part of a component would end the component.
		"x-${claim:path}":             "",
		"${claim:path}-x/**":          "",
		"${claim:owner}${claim:path}": "",
		"ci/${claim:dots}/**":         "",
		"${claim:deep}":               "",
		"${claim:star}/**":            "",
		"a${claim:star}":              "",
		"${claim:user}/**":            "",
		"${claim:again}":              "",
		"${claim:slash}":              "",
		"${claim:end}":                "",
		"${claim:front}":              "",
		"${claim:up}":                 "",
		"${claim:case}/**":            "",
		"${claim:empty}/**":           "",
		"ci/x${claim:empty}":          "",
		"${claim:absent}/**":          "",
		"${claim:space}":              "",
		"${claim:null}":               "",
		"${claim:huge}":               "",
	} {
		tmpl, err := auth.ParseTemplate(template)
		if err != nil || tmpl.String() != template {
			t.Fatal(template, err)
		}
		p, ok := tmpl.Expand(func(name string) string { return claims[name] })
		if p.String() != want || ok != (want != "") {
			t.Errorf("%s: %q %v, want %q", template, p, ok, want)
		}
		if !ok && p.Match("octo", "octo") {
			t.Errorf("%s matches without a claim", template)
		}
	}
	if p, ok := (auth.Template{}).Expand(func(string) string { return "a" }); ok {
		t.Errorf("the zero template makes %q", p)
	}
}

func TestTemplateRefused(t *testing.T) {
	for _, s := range []string{
		"", "${claim:}", "${claim:a b}", "${claim:a/b}", "${claim:a", "${claim:a}}", "${claim", "${Claim:a}", "${user}/**", "a/${user}",
		"${claim:ä}", "${claim:" + strings.Repeat("a", 65) + "}", "a//${claim:a}", "${claim:a}/", "A/${claim:a}", "${claim:a}/***",
		"${claim:a}-", "-${claim:a}", strings.Repeat("a", 2049),
	} {
		if tmpl, err := auth.ParseTemplate(s); err == nil {
			t.Errorf("%q: %v", s, tmpl)
		}
	}
}

// FuzzTemplate checks that a claim never matches more than its own literal
// text: whatever it is, another repository than the one it spells is out of
// reach.
func FuzzTemplate(f *testing.F) {
	for _, claim := range []string{"a", "a/b", "*", "**", "a/**", "..", "a/../b", "${user}", "${claim:x}", "", "A", "a//b", "a\n", "ci"} {
		f.Add("ci/${claim:x}/*", claim, "ci/a/b")
	}
	f.Add("${claim:x}-${claim:x}", "a-a", "a-a-a-a")
	f.Add("**/${claim:x}", "a", "x/y/a")
	f.Fuzz(func(t *testing.T, template, claim, name string) {
		tmpl, err := auth.ParseTemplate(template)
		if err != nil {
			return
		}
		p, ok := tmpl.Expand(func(string) string { return claim })
		if !ok {
			if p.Match(name, "") {
				t.Errorf("%s of %q is no pattern and matches %q", template, claim, name)
			}
			return
		}
		if literal := strings.ReplaceAll(template, "${claim:x}", claim); strings.Count(template, "${") == strings.Count(template, "${claim:x}") && p.String() != literal {
			t.Errorf("%s of %q is %s", template, claim, p)
		}
		if strings.Contains(template, "${claim:x}") && strings.ContainsAny(claim, "*${} ") {
			t.Errorf("%s takes %q", template, claim)
		}
	})
}
