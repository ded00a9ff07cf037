package load

import "fmt"

const acceptHeader = imageType + ", " + indexType

// putImage pushes a manifest by a tag. Its text and digest stay in w.
func (w *Worker) putImage(repo string, m image, revision int, tag string) error {
	w.to("/v2/", repo, "/manifests/", tag)
	return w.putManifest(m, revision, imageType)
}

// putManifest sends a manifest to the target.
func (w *Worker) putManifest(m image, revision int, mediaType string) error {
	w.text = m.append(w.text[:0], revision)
	w.digest = appendSum(w.digest[:0], w.text)
	w.setHeader("Content-Type", mediaType)
	if err := w.do("PUT", 201, w.text); err != nil {
		return err
	}
	return w.hasDigest(w.digest)
}

// headManifest and getManifest demand length, digest and bytes of every answer.
func headManifest(c *Client, _ int) (*Plan, error) {
	p, auth, err := c.pulled()
	if err != nil {
		return nil, err
	}
	return &Plan{Auth: auth, Op: func(w *Worker, i int) error {
		return w.headImage(pullRepo, p.tags[i%pullCount], p.images[i%pullCount])
	}}, nil
}

func getManifest(c *Client, _ int) (*Plan, error) {
	p, auth, err := c.pulled()
	if err != nil {
		return nil, err
	}
	return &Plan{Auth: auth, Op: func(w *Worker, i int) error {
		return w.getImage(pullRepo, p.tags[i%pullCount], p.images[i%pullCount])
	}}, nil
}

func (w *Worker) headImage(repo, tag string, want stored) error {
	w.to("/v2/", repo, "/manifests/", tag)
	w.setHeader("Accept", acceptHeader)
	if err := w.do("HEAD", 200); err != nil {
		return err
	}
	if err := w.hasLength(len(want.bytes)); err != nil {
		return err
	}
	return w.hasDigest([]byte(want.digest))
}

func (w *Worker) getImage(repo, tag string, want stored) error {
	w.to("/v2/", repo, "/manifests/", tag)
	w.setHeader("Accept", acceptHeader)
	if err := w.do("GET", 200); err != nil {
		return err
	}
	return w.hasBody(want.bytes)
}

// pushManifests pushes new manifests by new tags to one repository.
func pushManifests(repo, prefix string) func(c *Client, n int) (*Plan, error) {
	return func(c *Client, _ int) (*Plan, error) {
		auth, err := c.access.Token(push(repo))
		if err != nil {
			return nil, err
		}
		m, err := c.base(auth, repo)
		if err != nil {
			return nil, err
		}
		first := c.counted(repo)
		return &Plan{
			Auth: auth,
			Op: func(w *Worker, i int) error {
				return w.putImage(repo, m, first+i, name(prefix, first+i))
			},
			Check: func(w *Worker, n int) error {
				c.stored(repo, n)
				for _, i := range samples(n) {
					text := m.append(nil, first+i)
					if err := w.getImage(repo, name(prefix, first+i), stored{bytes: text}); err != nil {
						return err
					}
				}
				return w.countTags(repo, c.counted(repo))
			},
		}, nil
	}
}

// base makes a repository with the two blobs of an image.
func (c *Client) base(auth []byte, repo string) (image, error) {
	blobs := cached(kib, seedTags)
	err := c.once(auth, func(w *Worker) error {
		for i := range 2 {
			if err := w.putBlob(repo, blobs, i); err != nil {
				return fmt.Errorf("blobs of %s: %w", repo, err)
			}
		}
		return nil
	})
	return newImage(blobs, 0, blobs, 1), err
}

// counted is how many tags a repository has.
func (c *Client) counted(repo string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tags[repo]
}
