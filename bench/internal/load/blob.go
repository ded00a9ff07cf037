package load

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
)

// Sizes of the table.
const (
	kib      = 1 << 10
	mib      = 1 << 20
	large    = 64 * mib
	chunk    = 8 * mib
	sampling = 16 // of large blobs, one in so many has its digest checked: SHA-256 costs more than to serve it
)

// Seeds of contents: what one row pushes is new to the others.
const (
	seedPull byte = iota + 1
	seedPush
	seedConfig
	seedLayer
	seedTags
)

// contents are made once: the random bytes of a large one take a while.
var contents sync.Map

func cached(size int, seed byte) *content {
	type key struct {
		size int
		seed byte
	}
	made, _ := contents.LoadOrStore(key{size, seed}, sync.OnceValue(func() *content { return newContent(size, seed) }))
	return made.(func() *content)()
}

// putBlob pushes blob i: POST for a session, and all of it by one PUT.
func (w *Worker) putBlob(repo string, c *content, i int) error {
	if err := w.begin(repo); err != nil {
		return err
	}
	return w.finish(c, i, c.prefix)
}

// putChunks pushes blob i by PATCH requests of a size, as many as it takes, and a PUT without a body.
func (w *Worker) putChunks(repo string, c *content, i, size int) error {
	if err := w.begin(repo); err != nil {
		return err
	}
	for start := 0; start < c.size; start += size {
		end := min(start+size, c.size)
		w.text = w.text[:0]
		if end == c.size {
			w.text = appendTail(w.text, i)
		}
		if err := w.follow("", nil); err != nil {
			return err
		}
		w.setHeader("Content-Type", "application/octet-stream")
		w.setRange(start, end)
		if err := w.do("PATCH", 202, c.prefix[start:min(end, len(c.prefix))], w.text); err != nil {
			return err
		}
	}
	return w.finish(c, i, nil)
}

func (w *Worker) begin(repo string) error {
	w.to("/v2/", repo, "/blobs/uploads/")
	return w.do("POST", 202)
}

// finish ends the session of the last answer with the whole blob, or with nothing if prefix is nil.
func (w *Worker) finish(c *content, i int, prefix []byte) error {
	w.digest = c.appendDigest(w.digest[:0], w.sum, i)
	if err := w.follow("digest", w.digest); err != nil {
		return err
	}
	w.text = w.text[:0]
	if prefix != nil {
		w.setHeader("Content-Type", "application/octet-stream")
		w.text = appendTail(w.text, i)
	}
	if err := w.do("PUT", 201, prefix, w.text); err != nil {
		return err
	}
	return w.hasDigest(w.digest)
}

// readBack compares a stored blob with what was pushed, by its digest.
func (w *Worker) readBack(repo string, c *content, i int) error {
	want := c.digest(i)
	w.to("/v2/", repo, "/blobs/", want)
	h := sha256.New()
	w.resp.Sink = h
	err := w.do("GET", 200)
	w.resp.Sink = nil
	if err != nil {
		return err
	}
	if got := digestPrefix + hex.EncodeToString(h.Sum(nil)); got != want {
		return w.wrong("bytes with the digest %s", got)
	}
	return w.hasLength(c.size)
}

// samples is a few numbers below n, with the first and the last.
func samples(n int) []int {
	list := []int{}
	for i := 0; i < n-1; i += max(1, n/4) {
		list = append(list, i)
	}
	if n > 0 {
		list = append(list, n-1)
	}
	return list
}

// headBlob asks for blobs of 1 KiB.
func headBlob(c *Client, _ int) (*Plan, error) {
	p, auth, err := c.pulled()
	if err != nil {
		return nil, err
	}
	return &Plan{Auth: auth, Op: func(w *Worker, i int) error {
		w.to("/v2/", pullRepo, "/blobs/", p.blobs[i%pullCount].digest)
		if err := w.do("HEAD", 200); err != nil {
			return err
		}
		return w.hasLength(kib)
	}}, nil
}

func getSmallBlob(c *Client, _ int) (*Plan, error) {
	p, auth, err := c.pulled()
	if err != nil {
		return nil, err
	}
	return &Plan{Auth: auth, Op: func(w *Worker, i int) error {
		b := p.blobs[i%pullCount]
		w.to("/v2/", pullRepo, "/blobs/", b.digest)
		if err := w.do("GET", 200); err != nil {
			return err
		}
		return w.hasBody(b.bytes)
	}}, nil
}

// getLargeBlob counts the bytes of every answer and hashes those of some.
func getLargeBlob(c *Client, _ int) (*Plan, error) {
	auth, err := c.access.Token(push(pullRepo))
	if err != nil {
		return nil, err
	}
	blob := cached(large, seedPush)
	if err := c.once(auth, func(w *Worker) error { return w.putBlob(pullRepo, blob, 0) }); err != nil {
		return nil, err
	}
	target := "/v2/" + pullRepo + "/blobs/" + blob.digest(0)
	return &Plan{Auth: auth, Op: func(w *Worker, i int) error {
		if i%sampling == 0 {
			return w.readBack(pullRepo, blob, 0)
		}
		w.to(target)
		if err := w.do("GET", 200); err != nil {
			return err
		}
		return w.hasLength(large)
	}}, nil
}

// pushBlobs pushes new blobs of a size, from number first on, in chunks if they have a size.
func pushBlobs(size, chunk, first int) func(c *Client, n int) (*Plan, error) {
	return func(c *Client, _ int) (*Plan, error) {
		repo := fmt.Sprintf("bench/push%dx%d", size, chunk)
		auth, err := c.access.Token(push(repo))
		if err != nil {
			return nil, err
		}
		if err := c.once(auth, func(w *Worker) error { return w.createRepository(repo, 0) }); err != nil {
			return nil, err
		}
		c.stored(repo, 1)
		blobs := cached(size, seedPush)
		return &Plan{
			Auth: auth,
			Op: func(w *Worker, i int) error {
				if chunk > 0 {
					return w.putChunks(repo, blobs, first+i, chunk)
				}
				return w.putBlob(repo, blobs, first+i)
			},
			Check: func(w *Worker, n int) error {
				for _, i := range samples(n) {
					if err := w.readBack(repo, blobs, first+i); err != nil {
						return err
					}
				}
				return nil
			},
		}, nil
	}
}

// What the rows that pull find on the server: images of two blobs of 1 KiB each.
const (
	pullRepo  = "bench/pull"
	pullCount = 64
)

type pulls struct {
	blobs  [pullCount]stored // of 1 KiB
	images [pullCount]stored
	tags   [pullCount]string
}

type stored struct {
	digest string
	bytes  []byte
}

// pulled fills the server the first time, and returns a token for pulling.
func (c *Client) pulled() (*pulls, []byte, error) {
	if c.pulls == nil {
		auth, err := c.access.Token(push(pullRepo))
		if err != nil {
			return nil, nil, err
		}
		if err := c.once(auth, c.fillPulls); err != nil {
			return nil, nil, err
		}
	}
	auth, err := c.access.Token(pull(pullRepo))
	return c.pulls, auth, err
}

func (c *Client) fillPulls(w *Worker) error {
	p := new(pulls)
	blobs := cached(kib, seedPull)
	for i := range pullCount {
		p.blobs[i] = stored{blobs.digest(i), blobs.bytes(i)}
		if err := w.putBlob(pullRepo, blobs, i); err != nil {
			return err
		}
	}
	for i := range pullCount {
		p.tags[i] = name("v", i)
		m := newImage(blobs, i, blobs, (i+1)%pullCount)
		if err := w.putImage(pullRepo, m, i, p.tags[i]); err != nil {
			return err
		}
		p.images[i] = stored{string(w.digest), bytes.Clone(w.text)}
	}
	c.pulls = p
	c.stored(pullRepo, pullCount)
	return nil
}
