package load

import "strconv"

// What grows: one repository with many tags, and many repositories with one tag each. Their manifests are indexes of
// nothing, which need no blobs. Names are chosen so that what rows add sorts behind (tags) or before (repositories).
const (
	bigRepo     = "grow/a"
	bigTag      = "t"
	addedTag    = "z"
	smallRepo   = "grow/r"
	together    = 10     // tags of one manifest in bigRepo
	differently = 1000   // different manifests in the small ones
	batch       = 20_000 // filled with one token
)

// Grow fills the server until there are so many tags in one repository, and so many repositories.
func (c *Client) Grow(from, to int) error {
	for first := from; first < to; first += batch {
		n := min(batch, to-first)
		if err := c.growTags(first, n); err != nil {
			return err
		}
		if err := c.each(c.access.Basic(), n, func(w *Worker, i int) error {
			w.to("/v2/", name(smallRepo, first+i), "/manifests/latest")
			return w.putManifest(emptyIndex, (first+i)%differently, indexType)
		}); err != nil {
			return err
		}
		c.stored(bigRepo, n)
		for i := range n {
			c.stored(name(smallRepo, first+i), 1)
		}
	}
	return nil
}

// growTags sets ten tags with each manifest where the server can.
func (c *Client) growTags(first, n int) error {
	auth, err := c.access.Token(push(bigRepo))
	if err != nil {
		return err
	}
	if !c.Extended {
		return c.each(auth, n, func(w *Worker, i int) error {
			w.to("/v2/", bigRepo, "/manifests/", name(bigTag, first+i))
			return w.putManifest(emptyIndex, (first+i)/together, indexType)
		})
	}
	return c.each(auth, n/together, func(w *Worker, i int) error {
		tag := first + i*together
		w.to("/v2/", bigRepo, "/manifests/", name(bigTag, tag))
		for k := 1; k < together; k++ {
			w.target = append(w.target, separator(k)...)
			w.target = append(w.target, name(bigTag, tag+k)...)
		}
		return w.putManifest(emptyIndex, tag/together, indexType)
	})
}

func separator(k int) string {
	if k == 1 {
		return "?tag="
	}
	return "&tag="
}

// scattered is a number below n that jumps about as i counts.
func scattered(i, n int) int { return int(uint64(i) * 2654435761 % uint64(n)) }

// GrowthRows are the rows that must not depend on how much is stored, for a server with so many tags and repositories.
func (c *Client) GrowthRows(size int) []Row {
	rows := []Row{
		{"manifest-head", "manifest HEAD by tag", 10_000, 0, scatteredManifests(size, (*Worker).headImage)},
		{"manifest-get", "manifest GET by tag", 10_000, 0, scatteredManifests(size, (*Worker).getImage)},
		{"tags", "tags/list n=100", 5_000, 0, scatteredTags(size)},
		{"catalog", "_catalog n=100", 5_000, 0, scatteredRepositories(size)},
		{"manifest-put", "PUT manifest, new tag", 4_000, 0, pushManifests(bigRepo, addedTag)},
		{"create", "create repository", 1_000, 0, createRepositories},
	}
	if c.visitor != nil {
		rows = append(rows, Row{"catalog-visitor", "_catalog n=100 of a user who may pull none", 1_000, 0, hiddenRepositories})
	}
	return rows
}

// hiddenRepositories asks as somebody for whom every page is empty, and goes on from page to page: there is a next one
// as long as there are names that were not looked at.
func hiddenRepositories(c *Client, _ int) (*Plan, error) {
	auth, err := c.visitor.Token(catalogScope)
	return &Plan{Auth: auth, Op: func(w *Worker, _ int) error {
		if len(w.resp.Link) == 0 {
			w.to("/v2/_catalog?n=", strconv.Itoa(pageSize))
		} else if err := w.next(); err != nil {
			return err
		}
		if err := w.do("GET", 200); err != nil {
			return err
		}
		return w.hasNames(nil)
	}}, err
}

func scatteredManifests(size int, ask func(w *Worker, repo, tag string, want stored) error) func(*Client, int) (*Plan, error) {
	return func(c *Client, _ int) (*Plan, error) {
		auth, err := c.access.Token(pull(bigRepo))
		return &Plan{Auth: auth, Op: func(w *Worker, i int) error {
			tag := scattered(i, size)
			w.text = emptyIndex.append(w.text[:0], tag/together)
			w.digest = appendSum(w.digest[:0], w.text)
			return ask(w, bigRepo, name(bigTag, tag), stored{string(w.digest), w.text})
		}}, err
	}
}

func scatteredTags(size int) func(*Client, int) (*Plan, error) {
	return func(c *Client, _ int) (*Plan, error) {
		auth, err := c.access.Token(pull(bigRepo))
		l := &listing{path: tagPath(bigRepo), pages: scatteredPages(bigTag, "", size)}
		return &Plan{Auth: auth, Op: l.op}, err
	}
}

func scatteredRepositories(size int) func(*Client, int) (*Plan, error) {
	return func(c *Client, _ int) (*Plan, error) {
		auth, err := c.access.Token(catalogScope)
		l := &listing{path: catalogPath, pages: scatteredPages(smallRepo, bigRepo, size)}
		return &Plan{Auth: auth, Op: l.op}, err
	}
}

// scatteredPages are pages of size numbered names; before is what comes before the first of them.
func scatteredPages(prefix, before string, size int) func(i int) page {
	return func(i int) page {
		first := scattered(i, max(1, size-pageSize+1))
		end := min(size, first+pageSize)
		p := page{last: before, full: end-first == pageSize}
		if first > 0 {
			p.last = name(prefix, first-1)
		}
		p.want = func() (names []string) {
			for k := first; k < end; k++ {
				names = append(names, name(prefix, k))
			}
			return names
		}
		return p
	}
}
