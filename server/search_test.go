package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/berth-registry/berth/registry"
	"github.com/berth-registry/berth/server"
)

// crowded is a registry with more repositories than one page looks at. All
// but the last belong to nobody.
type crowded struct {
	*registry.Registry
	n int
}

func manyRepositories(n int) func(*registry.Registry, *stack) server.Registry {
	return func(next *registry.Registry, _ *stack) server.Registry { return crowded{next, n} }
}

func (c crowded) Repositories(_ context.Context, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for i := range c.n {
			if name := fmt.Sprintf("a/hidden%06d", i); name > after && !yield(name, nil) {
				return
			}
		}
		if after < "alice/last" {
			yield("alice/last", nil)
		}
	}
}

func (s *stack) found(as, query string) []string {
	s.Helper()
	got := s.send(row{do: "GET /v1/search?" + query, as: as})
	var answer struct {
		Query   string
		Num     int `json:"num_results"`
		Results []struct {
			Name     string
			Stars    *int  `json:"star_count"`
			Official *bool `json:"is_official"`
		}
	}
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil || got.StatusCode != 200 || answer.Num != len(answer.Results) {
		s.Errorf("%s: %d %.300s, %v", query, got.StatusCode, got.body, err)
	}
	names := []string{}
	for _, r := range answer.Results {
		if r.Stars == nil || r.Official == nil { // docker prints them
			s.Errorf("%+v", r)
		}
		names = append(names, r.Name)
	}
	return names
}

// TestSearch is what `docker search host:port/term` asks.
func TestSearch(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	for _, repo := range []string{"alice/nginx", "bob/nginx", "public/nginx", "public/redis", "team/nginx-extra", "drop/nginx"} {
		s.blob(repo, "x")
	}
	alice := bearer(s.token("alice"))
	for _, test := range []struct {
		as, query string
		want      []string
	}{
		{"-", "q=nginx", []string{"public/nginx"}},
		{"-", "q=", []string{"public/nginx", "public/redis"}},
		{"-", "", []string{"public/nginx", "public/redis"}},
		{"alice", "q=nginx", []string{"alice/nginx", "public/nginx", "team/nginx-extra"}},
		{"alice", "q=NGINX", []string{"alice/nginx", "public/nginx", "team/nginx-extra"}},
		{alice, "q=nginx", []string{"alice/nginx", "public/nginx", "team/nginx-extra"}},
		{"alice", "q=nginx&n=1", []string{"alice/nginx"}},
		{"alice", "q=nginx&n=0", []string{}},
		{"alice", "q=nginx&n=4294967295", []string{"alice/nginx", "public/nginx", "team/nginx-extra"}},
		{"alice", "q=bob", []string{}},
		{"carol", "q=drop", []string{}},
		{"root", "q=drop", []string{"drop/nginx"}},
		{"alice", "q=%00", []string{}},
	} {
		if got := s.found(test.as, test.query); !slices.Equal(got, test.want) {
			t.Errorf("%.10s %q: %v, want %v", test.as, test.query, got, test.want)
		}
	}
	s.table([]row{
		{do: "GET /v1/_ping", as: "-", status: 200, text: "true", gives: header{"X-Docker-Registry-Standalone": "true"}},
		{do: "GET /v1/search?q=x&n=-1", status: 400, code: "UNSUPPORTED"},
		{do: "GET /v1/search?q=x", as: "dave", status: 401, code: "UNAUTHORIZED"},
		{do: "GET /v1/search?q=x", as: "Bearer garbage", status: 401, code: "UNAUTHORIZED"},
	})
}

// TestSearchBounded looks at no more names than it says, so that a search
// costs the same however many there are.
func TestSearchBounded(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{registry: manyRepositories(12_000)})
	if got := s.found("root", "q=hidden01&n=1000"); len(got) != 0 {
		t.Errorf("%d names were found beyond the bound", len(got))
	}
	if got := s.found("root", "q=hidden&n=1000"); len(got) != 100 {
		t.Errorf("a page of %d", len(got))
	}
	if got := s.found("root", "q=hidden"); len(got) != 25 {
		t.Errorf("a page of %d", len(got))
	}
}
