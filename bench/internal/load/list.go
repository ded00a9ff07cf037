package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"
)

// page is a page of a listing.
type page struct {
	last string // parameter, "" for the first
	full bool   // it has pageSize names
	want func() []string
}

// pageSize is n=100 of the table.
const pageSize = 100

// pages cuts a listing, as a client does that follows the links.
func pages(all []string) []page {
	var list []page
	last := ""
	for part := range slices.Chunk(all, pageSize) {
		list = append(list, page{last, len(part) == pageSize, func() []string { return part }})
		last = part[len(part)-1]
	}
	return list
}

// parsing: one page in so many is decoded and compared name by name, of the others the length.
const parsing = 17 // a prime, so that every page has its turn

// listing is pages of one endpoint. Most of the full ones have the same length, since most names have.
type listing struct {
	path   string // up to last=
	pages  func(i int) page
	length atomic.Int64 // of the full page that was compared last
}

func (l *listing) op(w *Worker, i int) error {
	p := l.pages(i)
	w.to(l.path, p.last)
	if err := w.do("GET", 200); err != nil {
		return err
	}
	if i%parsing != 0 && p.full && w.resp.Length == l.length.Load() {
		return nil
	}
	if err := w.hasNames(p.want()); err != nil {
		return err
	}
	if p.full {
		l.length.Store(w.resp.Length)
	}
	return nil
}

// hasNames demands the names of a page.
func (w *Worker) hasNames(want []string) error {
	got, err := parseNames(w.resp.Body)
	if err != nil {
		return w.wrong("%v: %s", err, w.resp.Body)
	}
	if !slices.Equal(got, want) {
		return w.wrong("%d other names than the %d expected: %s", len(got), len(want), w.resp.Body)
	}
	return nil
}

// parseNames reads the answer of tags/list or _catalog.
func parseNames(body []byte) ([]string, error) {
	var answer struct{ Tags, Repositories []string }
	err := json.Unmarshal(body, &answer)
	return append(answer.Tags, answer.Repositories...), err
}

// listTags lists a repository of 2000 tags, page after page.
func listTags(c *Client, _ int) (*Plan, error) {
	const repo, count = "bench/list", 2000
	fill, err := pushManifests(repo, "t")(c, count)
	if err != nil {
		return nil, err
	}
	if c.counted(repo) == 0 {
		if err := c.each(fill.Auth, count, fill.Op); err != nil {
			return nil, err
		}
		c.stored(repo, count)
	}
	names := make([]string, count)
	for i := range names {
		names[i] = name("t", i)
	}
	all := pages(names)
	auth, err := c.access.Token(pull(repo))
	l := &listing{path: tagPath(repo), pages: func(i int) page { return all[i%len(all)] }}
	return &Plan{Auth: auth, Op: l.op}, err
}

func tagPath(repo string) string {
	return fmt.Sprintf("/v2/%s/tags/list?n=%d&last=", repo, pageSize)
}

var catalogPath = fmt.Sprintf("/v2/_catalog?n=%d&last=", pageSize)

// listRepositories lists 500 repositories, page after page.
func listRepositories(c *Client, _ int) (*Plan, error) {
	const count = 500
	have := len(c.repositories())
	if missing := count - have; missing > 0 {
		if err := c.each(c.access.Basic(), missing, func(w *Worker, i int) error {
			return w.createRepository(name("bench/c", i), i)
		}); err != nil {
			return nil, err
		}
		for i := range missing {
			c.stored(name("bench/c", i), 1)
		}
	}
	all := pages(c.repositories())
	auth, err := c.access.Token(catalogScope)
	l := &listing{path: catalogPath, pages: func(i int) page { return all[i%len(all)] }}
	return &Plan{Auth: auth, Op: l.op}, err
}

// countTags follows the links of a repository's tags to the end.
func (w *Worker) countTags(repo string, want int) error {
	w.to("/v2/", repo, "/tags/list?n=1000")
	return w.count(want)
}

// CountRepositories does so with all repositories of the server.
func (c *Client) CountRepositories() error {
	auth, err := c.access.Token(catalogScope)
	if err != nil {
		return err
	}
	return c.once(auth, func(w *Worker) error {
		w.to("/v2/_catalog?n=1000")
		return w.count(len(c.repositories()))
	})
}

func (w *Worker) count(want int) error {
	n := 0
	for {
		if err := w.do("GET", 200); err != nil {
			return err
		}
		names, err := parseNames(w.resp.Body)
		if err != nil {
			return w.wrong("%v: %s", err, w.resp.Body)
		}
		n += len(names)
		if len(w.resp.Link) == 0 {
			break
		}
		if err := w.next(); err != nil {
			return err
		}
	}
	if n != want {
		return w.wrong("%d entries in all instead of %d", n, want)
	}
	return nil
}

// next makes the page that the last answer links the target.
func (w *Worker) next() error {
	link, rest, ok := bytes.Cut(w.resp.Link, []byte(">"))
	if !ok || !bytes.HasPrefix(link, []byte("<")) || !bytes.Contains(rest, []byte(`rel="next"`)) {
		return w.wrong("Link %q", w.resp.Link)
	}
	w.resp.Location = link[1:]
	return w.follow("", nil)
}
