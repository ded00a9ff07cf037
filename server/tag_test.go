package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// nextLink is the only form of Link that there is (RFC 8288).
var nextLink = regexp.MustCompile(`^<(/v2/[^>]*)>; rel="next"$`)

// follow reads a listing from page to page to its end. more is called for
// each page.
func (s *stack) follow(as, path string, page func(response)) (pages int) {
	s.Helper()
	for ; path != ""; pages++ {
		if pages > 1000 {
			s.Fatalf("the listing does not end: %s", path)
		}
		got := s.send(row{do: "GET " + path, as: as})
		if got.StatusCode != http.StatusOK {
			s.Fatalf("%s: %d %s", path, got.StatusCode, got.body)
		}
		page(got)
		path = s.next(got)
	}
	return pages
}

func (s *stack) next(got response) string {
	s.Helper()
	link := got.Header.Get("Link")
	if link == "" {
		return ""
	}
	m := nextLink.FindStringSubmatch(link)
	if m == nil {
		s.Fatalf("Link: %q", link)
	}
	return m[1]
}

// tagPages follows a tag list and returns each page.
func (s *stack) tagPages(path string) (pages [][]string) {
	s.Helper()
	s.follow("", path, func(got response) {
		var answer struct {
			Name string
			Tags []string
		}
		s.must(json.Unmarshal([]byte(got.body), &answer))
		pages = append(pages, answer.Tags)
	})
	return pages
}

func TestTagList(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{sparse: []string{"alice/**"}})
	doc := image("config")
	d := s.manifest("alice/app", "b", doc)
	s.table([]row{{do: "PUT /v2/alice/app/manifests/a?tag=C&tag=_&tag=1.0&tag=1.0-rc", body: doc, status: 201}})
	s.manifest("alice/app/sub", "elsewhere", doc)
	s.manifest("alice/untagged", d, doc)
	s.blob("alice/empty", "x")
	list := func(query, tags, link string) row {
		return row{do: "GET /v2/alice/app/tags/list" + query, status: 200, text: `{"name":"alice/app","tags":[` + tags + `]}`,
			gives: header{"Content-Type": "application/json", "Link": link}}
	}
	next := func(query string) string { return `</v2/alice/app/tags/list?` + query + `>; rel="next"` }
	s.table([]row{
		list("", `"1.0","1.0-rc","C","_","a","b"`, ""), // in byte order
		list("?n=2", `"1.0","1.0-rc"`, next("last=1.0-rc&n=2")),
		list("?n=2&last=1.0-rc", `"C","_"`, next("last=_&n=2")),
		list("?n=2&last=_", `"a","b"`, ""),
		list("?n=2&last=b", ``, ""),
		list("?last=C", `"_","a","b"`, ""),
		list("?last=D", `"_","a","b"`, ""), // need not exist
		list("?last=zzz", ``, ""),
		list("?last=%00", `"1.0","1.0-rc","C","_","a","b"`, ""),
		list("?n=6", `"1.0","1.0-rc","C","_","a","b"`, ""),
		list("?n=0", ``, ""), // a page of nothing has no next
		list("?n=0&last=a", ``, ""),
		list("?n=2147483648", `"1.0","1.0-rc","C","_","a","b"`, ""), // CVE-2023-2253
		list("?n=18446744073709551615", `"1.0","1.0-rc","C","_","a","b"`, ""),
		list("?unknown=1", `"1.0","1.0-rc","C","_","a","b"`, ""),
		{do: "HEAD /v2/alice/app/tags/list?n=2", status: 200, gives: header{"Link": next("last=1.0-rc&n=2")}},
		{do: "GET /v2/alice/app/tags/list?n=-1", status: 400, code: "UNSUPPORTED"},
		{do: "GET /v2/alice/app/tags/list?n=ten", status: 400, code: "UNSUPPORTED"},
		{do: "GET /v2/alice/app/tags/list?n=18446744073709551616", status: 400, code: "UNSUPPORTED"},
		{do: "GET /v2/alice/app/tags/list?n=%zz", status: 400, code: "UNSUPPORTED"},
		{do: "GET /v2/alice/app/sub/tags/list", status: 200, text: `{"name":"alice/app/sub","tags":["elsewhere"]}`},
		{do: "GET /v2/alice/untagged/tags/list", status: 200, text: `{"name":"alice/untagged","tags":[]}`},
		{do: "GET /v2/alice/empty/tags/list", status: 200, text: `{"name":"alice/empty","tags":[]}`},
		{do: "GET /v2/alice/nowhere/tags/list", status: 404, code: "NAME_UNKNOWN"},
	})
}

// TestTagPages follows Link through more tags than one read of the database.
func TestTagPages(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{sparse: []string{"alice/**"}})
	var want []string
	for i := range 300 {
		want = append(want, fmt.Sprintf("v%03d", i))
	}
	for tags := range slices.Chunk(want, 100) {
		doc := image(tags[0])
		s.table([]row{{do: "PUT /v2/alice/app/manifests/" + digestOf(doc) + "?tag=" + strings.Join(tags, "&tag="), body: doc, status: 201}})
	}
	for n, pages := range map[int]int{1: 300, 7: 43, 100: 3, 128: 3, 299: 2, 300: 1, 10_000: 1} {
		got := s.tagPages(fmt.Sprintf("/v2/alice/app/tags/list?n=%d", n))
		if all := slices.Concat(got...); !slices.Equal(all, want) || len(got) != pages {
			t.Errorf("n=%d: %d tags in %d pages", n, len(all), len(got))
		}
		for _, page := range got {
			if len(page) > n {
				t.Errorf("n=%d: a page of %d", n, len(page))
			}
		}
	}
	if got := s.tagPages("/v2/alice/app/tags/list?last=v149"); !slices.Equal(slices.Concat(got...), want[150:]) {
		t.Errorf("after v149: %v", got)
	}
}

// TestTagDelete and what it leaves.
func TestTagDelete(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{sparse: []string{"alice/**"}})
	doc := image("config")
	d := s.manifest("alice/app", "a", doc)
	s.table([]row{{do: "PUT /v2/alice/app/manifests/b?tag=c", body: doc, status: 201}})
	s.manifest("alice/else", "a", doc)
	s.table([]row{
		{do: "DELETE /v2/alice/app/manifests/nothing", status: 404, code: "MANIFEST_UNKNOWN"},
		{do: "DELETE /v2/alice/nowhere/manifests/a", status: 404, code: "MANIFEST_UNKNOWN"},
		{do: "DELETE /v2/alice/app/manifests/a", status: 202},
		{do: "GET /v2/alice/app/manifests/a", status: 404, code: "MANIFEST_UNKNOWN"},
		{do: "HEAD /v2/alice/app/manifests/a", status: 404},
		{do: "DELETE /v2/alice/app/manifests/a", status: 404, code: "MANIFEST_UNKNOWN"},
		{do: "GET /v2/alice/app/tags/list", status: 200, text: `{"name":"alice/app","tags":["b","c"]}`},
		{do: "GET /v2/alice/app/manifests/b", status: 200, text: doc},
		{do: "GET /v2/alice/app/manifests/" + d, status: 200, text: doc},

		// The manifest goes with all its tags.
		{do: "DELETE /v2/alice/app/manifests/" + d, status: 202},
		{do: "GET /v2/alice/app/manifests/" + d, status: 404, code: "MANIFEST_UNKNOWN"},
		{do: "GET /v2/alice/app/manifests/b", status: 404, code: "MANIFEST_UNKNOWN"},
		{do: "GET /v2/alice/app/manifests/c", status: 404, code: "MANIFEST_UNKNOWN"},
		{do: "GET /v2/alice/app/tags/list", status: 200, text: `{"name":"alice/app","tags":[]}`},
		{do: "DELETE /v2/alice/app/manifests/" + d, status: 404, code: "MANIFEST_UNKNOWN"},
		{do: "GET /v2/alice/else/manifests/a", status: 200, text: doc},

		// And comes back.
		{do: "PUT /v2/alice/app/manifests/a", body: doc, status: 201},
		{do: "GET /v2/alice/app/tags/list", status: 200, text: `{"name":"alice/app","tags":["a"]}`},
	})
}

// TestManifestDeleteInUse refuses to delete what an index still lists.
func TestManifestDeleteInUse(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{sparse: []string{"alice/**"}})
	child := image("config")
	inner := index(child)
	outer := index(inner)
	s.manifest("alice/app", "child", child)
	s.manifest("alice/app", "inner", inner)
	s.manifest("alice/app", "outer", outer)
	del := func(doc string) row { return row{do: "DELETE /v2/alice/app/manifests/" + digestOf(doc), status: 202} }
	used := func(doc, by string) row {
		r := del(doc)
		r.status, r.code, r.has = 405, "UNSUPPORTED", digestOf(by)+" still needs it"
		return r
	}
	s.table([]row{
		used(child, inner), used(inner, outer),
		{do: "DELETE /v2/alice/app/manifests/child", status: 202}, // a tag may always go
		{do: "GET /v2/alice/app/manifests/" + digestOf(child), status: 200, text: child},
		del(outer), used(child, inner), del(inner), del(child),
		{do: "GET /v2/alice/app/tags/list", status: 200, text: `{"name":"alice/app","tags":[]}`},
	})
}
