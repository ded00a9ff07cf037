package differential

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// generator makes a sequence of requests that have to do with each other. It
// keeps a guess of what the registries hold, so that most requests find
// something; a wrong guess only makes a request miss.
type generator struct {
	rng   *rand.Rand
	steps []step
	blobs map[string][][]byte   // by repository
	docs  map[string][]document // by repository
	open  []*draft
	next  int // number of the next session
}

// draft is an upload session as the generator guesses it to be.
type draft struct {
	n    int
	repo string
	data []byte // what it has received
	over bool
}

// generate returns a sequence of about n requests, the same for the same
// seed: a prelude that gives every repository something, the requests, and an
// audit that looks at everything once.
func generate(seed uint64, n int) []step {
	g := &generator{
		rng:   rand.New(rand.NewPCG(seed, 0)),
		blobs: map[string][][]byte{}, docs: map[string][]document{}, next: 1,
	}
	g.prelude()
	for end := len(g.steps) + n; len(g.steps) < end; {
		g.move()
	}
	g.audit()
	return g.steps
}

// written are the repositories that the generator writes to.
var written = []string{repo, other, third}

func (g *generator) prelude() {
	for _, r := range written {
		g.pushBlob(r, config)
		g.putDocument(r, "seed", image(ociImage, config).document(ociImage))
	}
}

// audit reads everything that the sequence may have written.
func (g *generator) audit() {
	g.add(repositories(""))
	for _, r := range written {
		g.add(tags(r, ""))
		for _, tag := range allTags {
			g.add(headManifest(r, tag))
		}
	}
	seen := map[string]bool{}
	once := func(s step) {
		if !seen[s.path] {
			seen[s.path] = true
			g.add(s)
		}
	}
	for _, s := range g.steps {
		switch {
		case !slices.Contains(written, s.repo):
		case s.op == manifestPut:
			once(headManifest(s.repo, digestOf(s.body)))
		case s.op == uploadPut && !s.is(badDigest) && s.ref != "":
			once(headBlob(s.repo, s.ref))
		}
	}
	for _, d := range g.open {
		g.add(status(d.repo, d.n))
	}
}

func (g *generator) add(steps ...step) { g.steps = append(g.steps, steps...) }

// move adds one thing that a client might do, or ought not to.
func (g *generator) move() {
	total := 0
	for _, m := range moves {
		total += m.weight
	}
	at := g.rng.IntN(total)
	for _, m := range moves {
		if at -= m.weight; at < 0 {
			m.do(g)
			return
		}
	}
}

// moves is what happens, and how often.
var moves = []struct {
	weight int
	do     func(*generator)
}{
	{8, func(g *generator) { g.pushBlob(g.repo(), pick(g, pool)) }},
	{6, (*generator).startUpload},
	{12, (*generator).patchUpload},
	{8, (*generator).finishUpload},
	{2, (*generator).cancelUpload},
	{4, (*generator).statusOfUpload},
	{3, (*generator).singlePost},
	{6, (*generator).mountBlob},
	{12, (*generator).putImage},
	{6, (*generator).putIndex},
	{6, (*generator).putOdd},
	{16, (*generator).pullManifest},
	{12, (*generator).pullBlob},
	{6, (*generator).deleteSomething},
	{8, (*generator).list},
	{5, (*generator).nonsense},
}

func pick[T any](g *generator, from []T) T { return from[g.rng.IntN(len(from))] }

// sometimes is true once in n times.
func (g *generator) sometimes(n int) bool { return g.rng.IntN(n) == 0 }

func (g *generator) repo() string { return pick(g, written) }

// anyRepo is for reading: it may be one that nobody wrote to.
func (g *generator) anyRepo() string {
	if g.sometimes(10) {
		return fresh
	}
	return g.repo()
}

func (g *generator) tag() string { return pick(g, someTags) }

// blobOf is a blob that is probably in the repository.
func (g *generator) blobOf(repo string) []byte {
	if known := g.blobs[repo]; len(known) > 0 && !g.sometimes(6) {
		return pick(g, known)
	}
	return pick(g, pool)
}

// docOf is a manifest that is probably in the repository.
func (g *generator) docOf(repo string) document {
	if known := g.docs[repo]; len(known) > 0 && !g.sometimes(8) {
		return pick(g, known)
	}
	return image(ociImage, config, absent).document(ociImage)
}

func (g *generator) session() int {
	g.next++
	return g.next - 1
}

func (g *generator) pushBlob(repo string, content []byte) {
	g.add(push(repo, g.session(), content)...)
	g.blobs[repo] = append(g.blobs[repo], content)
}

func (g *generator) putDocument(repo, ref string, d document) {
	g.add(putManifest(repo, ref, d))
	g.docs[repo] = append(g.docs[repo], d)
}

// reproduction writes a sequence so that a fixed case can be made of it.
func reproduction(steps []step) string {
	text := ""
	for i, s := range steps {
		text += fmt.Sprintf("%3d  %s\n", i+1, s)
	}
	return text
}
