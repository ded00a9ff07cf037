package load

import (
	"github.com/berth-registry/berth/bench/internal/server"
)

// createRepository pushes an image of two new blobs, as the first push to a repository does: five requests.
func (w *Worker) createRepository(repo string, i int) error {
	config, layer := cached(kib, seedConfig), cached(4*kib, seedLayer)
	if err := w.putBlob(repo, config, i); err != nil {
		return err
	}
	if err := w.putBlob(repo, layer, i); err != nil {
		return err
	}
	return w.putImage(repo, newImage(config, i, layer, i), i, "latest")
}

// firstCreated is above the numbers that other rows call createRepository with: blobs are to be new.
const firstCreated = 1 << 20

// createRepositories creates one after the other, each with a token of its own, which was fetched before.
func createRepositories(c *Client, n int) (*Plan, error) {
	first := firstCreated + c.created
	c.created += n
	tokens, err := c.tokens(n, func(i int) string { return push(name("bench/n", first+i)) })
	if err != nil {
		return nil, err
	}
	return &Plan{
		Op: func(w *Worker, i int) error {
			w.auth = tokens[i]
			return w.createRepository(name("bench/n", first+i), first+i)
		},
		Check: func(w *Worker, n int) error {
			for i := range n {
				c.stored(name("bench/n", first+i), 1)
			}
			for _, i := range samples(n) {
				w.auth = tokens[i]
				repo := name("bench/n", first+i)
				if err := w.readBack(repo, cached(4*kib, seedLayer), first+i); err != nil {
					return err
				}
				if err := w.countTags(repo, 1); err != nil {
					return err
				}
			}
			return nil
		},
	}, nil
}

// tokens fetches n tokens; all are nil where there are none.
func (c *Client) tokens(n int, scope func(i int) string) ([][]byte, error) {
	tokens := make([][]byte, n)
	if c.access.TokenPath() == "" {
		return tokens, nil
	}
	return tokens, c.each(c.access.Basic(), n, func(w *Worker, i int) (err error) {
		w.to(c.access.TokenPath(scope(i)))
		if err := w.do("GET", 200); err != nil {
			return err
		}
		c.requests.Add(-1) // not below /v2/
		tokens[i], err = server.ParseToken(w.resp.Body)
		return err
	})
}
