package auth_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/berth-registry/berth/auth"
)

func isErr(err, target error) bool { return errors.Is(err, target) }

func TestParseScopes(t *testing.T) {
	repo := auth.Repository
	for _, tc := range []struct {
		name   string
		values []string
		want   []auth.Access
	}{
		{"docker login sends none", nil, nil},
		{"empty", []string{""}, nil},
		{"spaces", []string{"  ", " "}, nil},
		{"pull", []string{"repository:library/nginx:pull"}, []auth.Access{repo("library/nginx", auth.Pull)}},
		{"crane push", []string{"repository:a/b:push,pull"}, []auth.Access{repo("a/b", auth.Pull|auth.Push)}},
		{"crane delete", []string{"repository:a/b:push,pull,delete"}, []auth.Access{repo("a/b", auth.All)}},
		{"skopeo delete", []string{"repository:a/b:*"}, []auth.Access{repo("a/b", auth.All)}},
		{"mount, repeated", []string{"repository:a/b:pull,push", "repository:c:pull"}, []auth.Access{repo("a/b", auth.Pull|auth.Push), repo("c", auth.Pull)}},
		{"mount, joined", []string{"repository:a/b:pull,push repository:c:pull"}, []auth.Access{repo("a/b", auth.Pull|auth.Push), repo("c", auth.Pull)}},
		{"merged in order", []string{"repository:b:pull repository:a:pull", "repository:b:push"}, []auth.Access{repo("b", auth.Pull|auth.Push), repo("a", auth.Pull)}},
		{"plugin", []string{"repository(plugin):a/b:pull"}, []auth.Access{repo("a/b", auth.Pull)}},
		{"catalog", []string{"registry:catalog:*"}, []auth.Access{auth.Catalog()}},
		{"host and port in the name", []string{"repository:host:5000/a:pull repository:a:pull"}, []auth.Access{repo("a", auth.Pull)}},
		{"unknown actions", []string{"repository:a:pull,scanner-pull,PUSH"}, []auth.Access{repo("a", auth.Pull)}},
		{"no action", []string{"repository:a:"}, nil},
		{"unknown type", []string{"cluster:a:pull", "registry:other:*", "repo:a:pull"}, nil},
		{"impossible repositories", []string{"repository:A:pull repository:../x:pull repository:a//b:pull repository:a%2fb:pull repository:" + strings.Repeat("a", 256) + ":pull"}, nil},
		{"impossible beside possible", []string{"repository:A:pull repository:a:pull"}, []auth.Access{repo("a", auth.Pull)}},
	} {
		got, err := auth.ParseScopes(tc.values)
		if err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %v %v, want %v", tc.name, got, err, tc.want)
		}
	}
}

// What is malformed is passed over, and what stands beside it is not.
func TestParseScopesMalformed(t *testing.T) {
	good := auth.Repository("good", auth.Pull)
	for name, values := range map[string][]string{
		"one colon":       {"repository:a"},
		"no colon":        {"pull"},
		"no name":         {"repository::pull"},
		"no type":         {":a:pull"},
		"upper-case type": {"Repository:a:pull"},
		"open class":      {"repository(plugin:a:pull"},
		"empty class":     {"repository():a:pull"},
		"after the class": {"repository(plugin)x:a:pull"},
		"stray bracket":   {"repository):a:pull"},
		"tab":             {"repository:a:pull\trepository:b:pull"},
		"newline":         {"repository:a:pull\nx"},
		"NUL":             {"repository:a\x00:pull"},
		"not ASCII":       {"repository:ä:pull"},
		"no UTF-8":        {"repository:\xff:pull"},
		"too long":        {"repository:" + strings.Repeat("a", 600) + ":pull"},
	} {
		for _, s := range values {
			if a, err := auth.ParseScope(s); err == nil {
				t.Errorf("%s: ParseScope: %v", name, a)
			}
		}
		got, err := auth.ParseScopes(append([]string{"repository:good:pull"}, values...))
		if err != nil || len(got) != 1 || got[0] != good {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}

func TestParseScopesRefused(t *testing.T) {
	var many []string
	for i := range auth.MaxScopes + 1 {
		many = append(many, fmt.Sprintf("repository:r%d:pull", i))
	}
	for name, values := range map[string][]string{
		"too many":            many,
		"too many, alike":     {strings.Repeat("repository:a:pull ", auth.MaxScopes+1)},
		"too many, malformed": {strings.Repeat("x ", auth.MaxScopes+1)},
	} {
		if got, err := auth.ParseScopes(values); !isErr(err, auth.ErrScope) || got != nil {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
	if _, err := auth.ParseScopes(many[1:]); err != nil {
		t.Errorf("%d scopes: %v", auth.MaxScopes, err)
	}
}

// FuzzScope checks that what comes out is valid, bounded, and reads the same
// when it is written again.
func FuzzScope(f *testing.F) {
	for _, s := range []string{
		"", "repository:a/b:pull,push", "repository(plugin):a:*", "registry:catalog:*", "repository:host:5000/a:pull",
		"repository:a:pull repository:b:push", "repository::", "::", ":::", "repository(:a:pull", "repository:a:pull,", "a:b:c",
		"repository:\x00:pull", "repository:a..b:pull", "repository:A:delete",
	} {
		f.Add(s, "repository:x:pull")
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		got, err := auth.ParseScopes([]string{one, two})
		if err != nil {
			if !isErr(err, auth.ErrScope) {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		if len(got) > auth.MaxScopes {
			t.Fatalf("%d scopes", len(got))
		}
		var texts []string
		for _, a := range got {
			if a.Type == auth.TypeRepository && !auth.NewPolicy(nil).Decide(admin(), a.Name, a.Actions).Allowed {
				t.Errorf("invalid %v", a)
			}
			texts = append(texts, a.String())
		}
		again, err := auth.ParseScopes([]string{strings.Join(texts, " ")})
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%v, again %v %v", got, again, err)
		}
	})
}
