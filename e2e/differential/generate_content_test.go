package differential

import "strconv"

// Moves that push, pull, delete and list.

// putImage pushes an image, mostly over blobs that are there.
func (g *generator) putImage() {
	r := g.repo()
	mediaType := pick(g, []string{ociImage, ociImage, dockerImage})
	layers := make([][]byte, g.rng.IntN(3))
	for i := range layers {
		layers[i] = g.blobOf(r)
	}
	o := image(mediaType, g.blobOf(r), layers...).set("annotations", object{"n": strconv.Itoa(g.rng.IntN(4))})
	d := o.document(mediaType)
	if g.sometimes(8) {
		d = o.set("subject", descriptor(ociImage, g.docOf(r).body)).document(mediaType, withSubject)
	}
	g.putSomewhere(r, d)
}

// putIndex pushes an index over manifests that are probably there.
func (g *generator) putIndex() {
	r := g.repo()
	mediaType := pick(g, []string{ociIndex, ociIndex, dockerList})
	var children []document
	for range g.rng.IntN(3) {
		children = append(children, g.docOf(r))
	}
	g.putSomewhere(r, index(mediaType, children...).document(mediaType))
}

// putSomewhere pushes by tag, by digest, with tag parameters, or by the
// digest of something else.
func (g *generator) putSomewhere(repo string, d document) {
	switch g.rng.IntN(10) {
	case 0:
		g.add(putManifest(repo, digestOf(absent), d))
	case 1, 2:
		g.putDocument(repo, d.digest(), d)
	case 3:
		d.shape = append(d.shape, withTags)
		g.putDocument(repo, d.digest(), d)
		g.steps[len(g.steps)-1].query = "tag=" + g.tag() + "&tag=" + g.tag()
	default:
		g.putDocument(repo, g.tag(), d)
	}
}

// putOdd pushes what no proper client pushes.
func (g *generator) putOdd() {
	d := pick(g, oddDocuments())
	ref := g.tag()
	if g.sometimes(3) {
		ref = d.digest()
	}
	g.add(putManifest(g.repo(), ref, d))
}

func (g *generator) pullManifest() {
	r := g.anyRepo()
	ref := g.tag()
	if g.sometimes(2) {
		ref = g.docOf(r).digest()
	}
	s := getManifest(r, ref)
	if g.sometimes(3) {
		s = headManifest(r, ref)
	}
	switch g.rng.IntN(8) {
	case 0:
		s = s.without("Accept").as(noAccept)
	case 1:
		s = s.instead("Accept", pick(g, []string{ociImage, ociIndex, dockerImage, dockerList})).as(narrowly)
	case 2:
		s = g.onCondition(s, g.docOf(r).digest())
	}
	g.add(s)
}

// onCondition asks for something unless it has the digest.
func (g *generator) onCondition(s step, digest string) step {
	switch g.rng.IntN(4) {
	case 0:
		return s.with("If-None-Match", digest).as(conditional, unquoted)
	case 1:
		return s.with("If-None-Match", quoted("x")+", "+quoted(digest)).as(conditional, listed)
	case 2:
		return s.with("If-None-Match", "*").as(conditional, listed)
	}
	return s.with("If-None-Match", quoted(digest)).as(conditional)
}

func (g *generator) pullBlob() {
	r := g.anyRepo()
	content := g.blobOf(r)
	s := getBlob(r, digestOf(content))
	head := g.sometimes(3)
	if head {
		s = headBlob(r, digestOf(content))
	}
	switch g.rng.IntN(5) {
	case 0:
		s = s.with("Range", g.someRange())
		if head {
			s = s.as(headRange)
		}
	case 1:
		s = g.onCondition(s, digestOf(content))
	}
	g.add(s)
}

func (g *generator) someRange() string {
	a, b := g.rng.IntN(40), g.rng.IntN(6000)
	return pick(g, []string{
		"bytes=" + strconv.Itoa(a) + "-" + strconv.Itoa(a+b), "bytes=" + strconv.Itoa(b) + "-", "bytes=-" + strconv.Itoa(b),
		"bytes=0-0," + strconv.Itoa(a) + "-" + strconv.Itoa(a+3), "bytes=x", "bytes=" + strconv.Itoa(b) + "-" + strconv.Itoa(a),
	})
}

func (g *generator) deleteSomething() {
	r := g.anyRepo()
	switch g.rng.IntN(3) {
	case 0:
		g.add(deleteManifest(r, g.tag()))
	case 1:
		g.add(deleteManifest(r, g.docOf(r).digest()))
	default:
		g.add(deleteBlob(r, digestOf(g.blobOf(r))))
	}
}

func (g *generator) list() {
	n := "n=" + strconv.Itoa(g.rng.IntN(7))
	switch g.rng.IntN(6) {
	case 0:
		g.add(repositories(pick(g, []string{"", n, n + "&last=" + pick(g, someRepos)})))
	case 1:
		g.add(referrers(g.anyRepo(), g.docOf(g.repo()).digest(), ""))
	default:
		g.add(tags(g.anyRepo(), pick(g, []string{"", n, n + "&last=" + g.tag(), "last=" + g.tag()})))
	}
}

// nonsense is a request that is wrong by its path, method or query alone.
func (g *generator) nonsense() {
	all := seq(
		badNames("Upper/case", "a..b"), badTags("-dash", "sp%20ace"), badDigests(), longNames(),
		otherMethods("/v2/"+repo+"/tags/list", "POST", "DELETE"), otherMethods("/v2/"+repo+"/manifests/v1", "POST", "OPTIONS"),
		badPages(tags(repo, "")), badPages(repositories("")),
		raw(route, "GET", "/v2/"+repo+"/nonsense").as(noEndpoint), raw(route, "GET", "/v2/library//app/tags/list").as(uncleanPath),
	)
	g.add(pick(g, all))
}
