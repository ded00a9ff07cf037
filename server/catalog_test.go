package server_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// repositories follows a catalog and returns each page; each Link is handed
// to check.
func (s *stack) repositories(as, path string, check func(link string)) (pages [][]string) {
	s.Helper()
	s.follow(as, path, func(got response) {
		var answer struct{ Repositories []string }
		s.must(json.Unmarshal([]byte(got.body), &answer))
		pages = append(pages, answer.Repositories)
		check(got.Header.Get("Link"))
	})
	return pages
}

// TestCatalog shows to everybody what they may pull, and nothing else.
func TestCatalog(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	for _, repo := range []string{"alice/a", "alice/b", "bob/private", "public/z", "team/x", "drop/box"} {
		s.blob(repo, "x")
	}
	const catalog = "registry:catalog:*"
	anonymous, alice := bearer(s.token("-", catalog)), bearer(s.token("alice", catalog))
	list := func(as, repositories string) row {
		return row{do: "GET /v2/_catalog", as: as, status: 200, text: `{"repositories":[` + repositories + `]}`, gives: header{"Link": "", "Content-Type": "application/json"}}
	}
	challenge := `Bearer realm="{base}/token",service="registry.test",scope="registry:catalog:*"`
	s.table([]row{
		list("alice", `"alice/a","alice/b","public/z","team/x"`),
		list(alice, `"alice/a","alice/b","public/z","team/x"`),
		list("bob", `"bob/private","public/z","team/x"`),
		list("carol", `"public/z"`), // to push to drop/box is not to see it
		list("root", `"alice/a","alice/b","bob/private","drop/box","public/z","team/x"`),
		list(anonymous, `"public/z"`),
		{do: "HEAD /v2/_catalog", status: 200},
		{do: "GET /v2/_catalog", as: "-", status: 401, code: "UNAUTHORIZED", gives: header{"Www-Authenticate": challenge}},
		{do: "GET /v2/_catalog", as: bearer(s.token("alice", "repository:alice/a:pull")), status: 401, code: "UNAUTHORIZED", gives: header{"Www-Authenticate": challenge + `,error="insufficient_scope"`}},
		{do: "GET /v2/_catalog?n=0", status: 200, text: `{"repositories":[]}`, gives: header{"Link": ""}},
		{do: "GET /v2/_catalog?n=1", status: 200, text: `{"repositories":["alice/a"]}`, gives: header{"Link": `</v2/_catalog?last=alice%2Fa&n=1>; rel="next"`}},
		{do: "GET /v2/_catalog?n=2&last=alice/a", status: 200, text: `{"repositories":["alice/b","public/z"]}`},
		{do: "GET /v2/_catalog?last=alice/zzz", status: 200, text: `{"repositories":["public/z","team/x"]}`, gives: header{"Link": ""}},
		{do: "GET /v2/_catalog?last=bob/private", status: 400, code: "UNSUPPORTED"},
		{do: "GET /v2/_catalog?n=2147483648", status: 200, text: `{"repositories":["alice/a","alice/b","public/z","team/x"]}`},
		{do: "GET /v2/_catalog?n=18446744073709551615", status: 200, has: "alice/a"},
		{do: "GET /v2/_catalog?n=-1", status: 400, code: "UNSUPPORTED"},
		{do: "GET /v2/_catalog?n=x", status: 400, code: "UNSUPPORTED"},
		// Cursors that no Link has.
		{do: "GET /v2/_catalog?last=~", status: 400, code: "UNSUPPORTED"},
		{do: "GET /v2/_catalog?last=~!", status: 400, code: "UNSUPPORTED"},
		{do: "GET /v2/_catalog?last=~" + base64.RawURLEncoding.EncodeToString(make([]byte, 100)), status: 400, code: "UNSUPPORTED"},
	})
}

// TestCatalogPages follows Link to the end, for callers who see much, little
// and nothing: each repository once, and no Link with a name that is hidden.
func TestCatalogPages(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	all := map[string][]string{}
	d := s.blob("alice/r000", "x")
	var links sync.WaitGroup
	link := func(repo string) {
		links.Go(func() {
			if err := s.bolt.LinkBlob(t.Context(), repo, metadata.Blob{Digest: oci.Digest(d), Key: storage.Key(d), Size: 1}, ""); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range 150 {
		for _, repo := range []string{fmt.Sprintf("alice/r%03d", i), fmt.Sprintf("team/%03d/hidden", i), fmt.Sprintf("bob/hidden%d", i)} {
			link(repo)
			for _, who := range []string{"alice", "bob", "carol", "root"} {
				if who == "root" || strings.HasPrefix(repo, who) || who != "carol" && strings.HasPrefix(repo, "team") {
					all[who] = append(all[who], repo)
				}
			}
		}
	}
	links.Wait()
	for who, repos := range map[string][]string{"alice": all["alice"], "bob": all["bob"], "carol": nil, "root": all["root"]} {
		slices.Sort(repos)
		for _, n := range []int{1, 9, 150, 300, 10_000} {
			pages := s.repositories(who, fmt.Sprintf("/v2/_catalog?n=%d", n), func(link string) {
				last := lastOf(s, link)
				if last != "" && last[0] != '~' && !slices.Contains(repos, last) {
					t.Errorf("%s is shown the name %q", who, last)
				}
			})
			if got := slices.Concat(pages...); !slices.Equal(got, repos) {
				t.Errorf("%s, n=%d: %d of %d", who, n, len(got), len(repos))
			}
			for _, page := range pages {
				if len(page) > n {
					t.Errorf("%s, n=%d: a page of %d", who, n, len(page))
				}
			}
		}
	}
}

func lastOf(s *stack, link string) string {
	s.Helper()
	m := nextLink.FindStringSubmatch(link)
	if m == nil {
		return ""
	}
	u, err := url.Parse(m[1])
	s.must(err)
	return u.Query().Get("last")
}

// TestCatalogSealed scans more hidden names than a page looks at: the Link to
// go on hides where it stopped, and works for nobody else's eyes.
func TestCatalogSealed(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{registry: manyRepositories(25_000)})
	var sealed []string
	pages := s.repositories("alice", "/v2/_catalog?n=100", func(link string) {
		if last := lastOf(s, link); last != "" {
			sealed = append(sealed, last)
		}
	})
	if got := slices.Concat(pages...); !slices.Equal(got, []string{"alice/last"}) || len(pages) != 3 {
		t.Errorf("%d pages: %q", len(pages), got)
	}
	for _, cursor := range sealed {
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(cursor, "~"))
		if !strings.HasPrefix(cursor, "~") || err != nil || strings.Contains(string(raw), "hidden") || len(raw) != 12+255+16 { // a nonce, the longest name, a tag: no length tells
			t.Errorf("cursor %q, %v", cursor, err)
		}
		raw[len(raw)-1] ^= 1
		s.table([]row{{do: "GET /v2/_catalog?last=~" + base64.RawURLEncoding.EncodeToString(raw), status: 400, code: "UNSUPPORTED"}})
	}
}
