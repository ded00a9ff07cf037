package differential

// Moves that upload.

func (g *generator) startUpload() {
	d := &draft{n: g.session(), repo: g.repo()}
	g.open = append(g.open, d)
	g.add(start(d.repo, d.n))
}

// draft is a session that was begun, if any was.
func (g *generator) draft() *draft {
	if len(g.open) == 0 {
		g.startUpload()
	}
	return pick(g, g.open)
}

// patchUpload adds a chunk, mostly a proper one.
func (g *generator) patchUpload() {
	d := g.draft()
	body := pick(g, [][]byte{single, small, medium, small[:5]})
	at := len(d.data)
	switch g.rng.IntN(14) {
	case 0:
		g.add(chunk(d.repo, d.n, at+1+g.rng.IntN(9), body).as(badOrder))
	case 1:
		g.add(patch(d.repo, d.n, body).with("Content-Range", contentRange(at, len(body)+3)).as(badLength))
	case 2:
		g.add(patch(d.repo, d.n, body).with("Content-Range", pick(g, []string{"x", "5", "1-", "9-2"})).as(badChunkRange))
	case 3:
		g.breaking(d, patch(d.repo, d.n, body).with("Content-Range", "bytes "+contentRange(at, len(body))+"/*").as(rfcRange))
	case 4:
		g.breaking(d, patch(d.repo, d.n, body).instead("Content-Type", "text/plain").as(wrongType))
	case 5:
		g.breaking(d, on(byHand, patch(d.repo, d.n, body)).as(ownURL))
	case 6:
		g.stale(d, body)
	case 7:
		g.add(patch(pick(g, written), d.n, body).as(strangers)) // perhaps its own after all
		d.over = true
	case 8, 9:
		g.grow(d, chunk(d.repo, d.n, at, body), body)
	case 10, 11:
		g.grow(d, streamed(patch(d.repo, d.n, body)), body)
	default:
		g.grow(d, patch(d.repo, d.n, body), body)
	}
}

// grow adds a step that both registries take.
func (g *generator) grow(d *draft, s step, body []byte) {
	g.add(s)
	d.data = append(d.data[:len(d.data):len(d.data)], body...)
}

// breaking adds a step after which the session is over, because only one
// registry takes it.
func (g *generator) breaking(d *draft, s step) {
	g.add(s)
	d.over = true
}

// stale writes to the first Location, which is good for one request.
func (g *generator) stale(d *draft, body []byte) {
	s := on(first, patch(d.repo, d.n, body)).as(staleURL)
	if len(d.data) == 0 {
		g.grow(d, s, body)
		return
	}
	g.breaking(d, s)
}

// finishUpload closes a session, mostly with the right digest.
func (g *generator) finishUpload() {
	d := g.draft()
	last := pick(g, [][]byte{empty, empty, single, small})
	content := append(d.data[:len(d.data):len(d.data)], last...)
	switch g.rng.IntN(8) {
	case 0:
		g.add(finish(d.repo, d.n, digestOf(absent), last))
		d.over = true
		return
	case 1:
		g.add(finish(d.repo, d.n, pick(g, []string{"nonsense", "sha256:abc", "md5:"}), last).as(badDigest))
		return
	case 2:
		g.add(upload(uploadPut, "PUT", d.repo, d.n, last))
		return
	case 3:
		s := finish(d.repo, d.n, digestOf(content), single)
		g.add(s.with("Content-Range", contentRange(len(d.data)+4, 1)).as(badOrder))
		return
	}
	g.add(finish(d.repo, d.n, digestOf(content), last))
	if !d.over {
		g.blobs[d.repo] = append(g.blobs[d.repo], content)
	}
	d.over = true
}

func (g *generator) cancelUpload() {
	d := g.draft()
	g.add(cancel(d.repo, d.n))
	d.over = true
}

func (g *generator) statusOfUpload() {
	d := g.draft()
	s := status(d.repo, d.n)
	switch g.rng.IntN(6) {
	case 0:
		s = on(byHand, s).as(ownURL)
	case 1:
		s = on(first, s).as(staleURL)
	case 2:
		s.repo = g.anyRepo()
		s = s.as(strangers)
	}
	g.add(s)
}

func (g *generator) singlePost() {
	r, content := g.repo(), pick(g, pool)
	digest := digestOf(content)
	if g.sometimes(4) {
		digest = pick(g, []string{digestOf(absent), "nonsense"})
	}
	g.add(post(r, g.session(), digest, content).as(singlePost))
}

func (g *generator) mountBlob() {
	r, from := g.repo(), g.anyRepo()
	digest := digestOf(g.blobOf(from))
	n := g.session()
	switch g.rng.IntN(6) {
	case 0:
		g.add(mount(r, "", digest, n).as(anonymous))
	case 1:
		g.add(mount(r, pick(g, []string{"Bad", "a//b", from}), pick(g, []string{"sha256:abc", "x"}), n).as(badMount))
	default:
		g.add(mount(r, from, digest, n))
		g.blobs[r] = append(g.blobs[r], g.blobOf(from))
	}
}
