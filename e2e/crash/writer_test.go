package crash

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/berth-registry/berth/e2e/internal/berth"
)

// writers push at the same time, each to a repository of its own, and share
// some of their content.
const writers = 8

func repository(w int) string { return fmt.Sprintf("crash/w%d", w) }

const (
	imageType = "application/vnd.oci.image.manifest.v1+json"
	indexType = "application/vnd.oci.image.index.v1+json"
)

// writer does operations until the server is gone.
type writer struct {
	model  *model
	pool   *pool
	rand   *rand.Rand
	c      *berth.Client
	acked  *atomic.Int64
	serial int
	last   *thing // the blob pushed last
}

// run does random operations until an answer fails to come. What is wrong
// with an answer that came is returned.
func (w *writer) run() error {
	operations := []func() (bool, error){
		w.pushBlob, w.pushBlob, w.postBlob, w.chunkBlob, w.chunkBlob, w.mount,
		w.pushImage, w.pushImage, w.pushIndex, w.pushReferrer, w.retag, w.deleteTag, w.deleteManifest,
	}
	for {
		alive, err := operations[w.rand.IntN(len(operations))]()
		if err != nil || !alive {
			return err
		}
	}
}

// tell makes a request about a thing and what changes with it: untold before,
// the fate to if it is answered with want.
func (w *writer) tell(t *thing, to fate, want int, method, path, media string, body []byte, with ...*thing) (berth.Answer, bool, error) {
	group := append([]*thing{t}, with...)
	for _, t := range group {
		t.fate, t.sealed = untold, false
	}
	w.model.inflight = group
	a, err := w.c.Do(method, path, media, body)
	if err != nil {
		return a, false, nil
	}
	w.model.inflight = nil
	if a.Status != want {
		return a, false, fmt.Errorf("%s %s: %d, want %d: %s", method, path, a.Status, want, a.Body)
	}
	for _, t := range group {
		t.fate = to
	}
	w.acked.Add(1)
	return a, true, nil
}

func (w *writer) path(rest string) string { return "/v2/" + w.model.repo + "/" + rest }

// content makes a blob: one in five is one that others push too.
func (w *writer) content() *thing {
	size := 1 << (6 + w.rand.IntN(12))
	seed := [2]uint64{w.rand.Uint64(), w.rand.Uint64()}
	if w.rand.IntN(5) == 0 {
		seed, size = [2]uint64{w.rand.Uint64N(50), 1}, 4096
	}
	b := make([]byte, size)
	fill := rand.NewChaCha8([32]byte{byte(seed[0]), byte(seed[0] >> 8), byte(seed[0] >> 16), byte(seed[0] >> 24), byte(seed[1]), byte(seed[1] >> 8), byte(seed[1] >> 16), byte(seed[1] >> 24)})
	fill.Read(b)
	d := berth.Digest(b)
	return w.model.blob(&thing{path: "blobs/" + d, digest: d, bytes: b, common: seed[1] == 1})
}

func (w *writer) open() (string, bool, error) {
	a, err := w.c.Do("POST", w.path("blobs/uploads/"), "", nil)
	if err != nil {
		return "", false, nil
	}
	if a.Status != 202 {
		return "", false, fmt.Errorf("POST uploads: %d: %s", a.Status, a.Body)
	}
	return a.Location, true, nil
}

func (w *writer) pushBlob() (bool, error) {
	location, alive, err := w.open()
	if !alive || err != nil {
		return false, err
	}
	t := w.content()
	w.last, w.model.left = t, location
	_, alive, err = w.tell(t, present, 201, "PUT", location+"?digest="+t.digest, "application/octet-stream", t.bytes)
	if alive {
		w.model.left = ""
	}
	return alive, err
}

func (w *writer) postBlob() (bool, error) {
	t := w.content()
	_, alive, err := w.tell(t, present, 201, "POST", w.path("blobs/uploads/?digest="+t.digest), "application/octet-stream", t.bytes)
	return alive, err
}

// chunkBlob uploads in pieces; if it is cut off, verify goes on with it.
func (w *writer) chunkBlob() (bool, error) {
	location, alive, err := w.open()
	if !alive || err != nil {
		return false, err
	}
	t := w.content()
	t.fate = untold
	s := &session{location: location, content: t}
	w.model.session = s
	for s.acked < len(t.bytes) {
		n := min(len(t.bytes)-s.acked, 1+w.rand.IntN(len(t.bytes)))
		a, err := w.c.Do("PATCH", s.location, "application/octet-stream", t.bytes[s.acked:s.acked+n])
		if err != nil {
			return false, nil
		}
		if a.Status != 202 {
			return false, fmt.Errorf("PATCH: %d: %s", a.Status, a.Body)
		}
		s.acked += n
		w.acked.Add(1)
	}
	s.ending = true
	_, alive, err = w.tell(t, present, 201, "PUT", s.location+"?digest="+t.digest, "", nil)
	if alive {
		w.model.session = nil
		w.pool.add(w.model.repo, t)
	}
	return alive, err
}

func (w *writer) mount() (bool, error) {
	from, source := w.pool.pick(w.rand)
	if source == nil || from == w.model.repo {
		return true, nil
	}
	t := w.model.blob(&thing{path: source.path, digest: source.digest, bytes: source.bytes, common: true})
	_, alive, err := w.tell(t, present, 201, "POST", w.path("blobs/uploads/?mount="+t.digest+"&from="+from), "", nil)
	return alive, err
}

// image pushes a config and a layer and returns the document.
func (w *writer) image(subject *thing) (*thing, bool, error) {
	var parts [2]*thing
	for i := range parts {
		if alive, err := w.pushBlob(); !alive || err != nil {
			return nil, false, err
		}
		parts[i] = w.last
	}
	doc := map[string]any{
		"schemaVersion": 2, "mediaType": imageType, "config": describe(parts[0], "application/vnd.oci.image.config.v1+json"),
		"layers": []any{describe(parts[1], "application/vnd.oci.image.layer.v1.tar")},
	}
	needs := parts[:]
	if subject != nil {
		doc["subject"] = describe(subject, subject.media)
		doc["artifactType"] = "application/vnd.example.crash"
	}
	return w.document(doc, imageType, needs), true, nil
}

func (w *writer) document(doc map[string]any, media string, needs []*thing) *thing {
	w.serial++ // no two documents are alike: one could be deleted under the other
	doc["annotations"] = map[string]string{"serial": fmt.Sprint(w.serial)}
	b, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	d := berth.Digest(b)
	t := &thing{path: "manifests/" + d, digest: d, bytes: b, media: media, needs: needs}
	w.model.manifests = append(w.model.manifests, t)
	return t
}

func describe(t *thing, media string) map[string]any {
	return map[string]any{"mediaType": media, "digest": t.digest, "size": len(t.bytes)}
}

// put pushes a manifest by digest with two tags, or by a tag.
func (w *writer) put(m *thing) (alive bool, err error) {
	if w.rand.IntN(2) == 0 {
		a, b := w.tag(m), w.tag(m)
		path := w.path("manifests/" + m.digest + "?tag=" + a.name() + "&tag=" + b.name())
		_, alive, err = w.tell(m, present, 201, "PUT", path, m.media, m.bytes, a, b)
	} else {
		tag := w.tag(m)
		_, alive, err = w.tell(m, present, 201, "PUT", w.path(tag.path), m.media, m.bytes, tag)
	}
	return alive, err
}

// tag makes a new name for m.
func (w *writer) tag(m *thing) *thing {
	w.serial++
	name := fmt.Sprintf("t%d-%d", w.serial, w.rand.Uint32())
	t := &thing{path: "manifests/" + name, digest: m.digest}
	w.model.tags[name] = t
	return t
}

func (w *writer) pushImage() (bool, error) {
	m, alive, err := w.image(nil)
	if !alive || err != nil {
		return false, err
	}
	return w.put(m)
}

func (w *writer) pushReferrer() (bool, error) {
	subject := pick(w.rand, w.model.manifests)
	if subject == nil {
		return true, nil
	}
	m, alive, err := w.image(subject)
	if !alive || err != nil {
		return false, err
	}
	return w.put(m)
}

func (w *writer) pushIndex() (bool, error) {
	a, b := pick(w.rand, w.model.manifests), pick(w.rand, w.model.manifests)
	if a == nil || b == nil {
		return true, nil
	}
	a.used, b.used = true, true
	doc := map[string]any{"schemaVersion": 2, "mediaType": indexType, "manifests": []any{describe(a, a.media), describe(b, b.media)}}
	return w.put(w.document(doc, indexType, []*thing{a, b}))
}

// retag moves a tag to another manifest.
func (w *writer) retag() (bool, error) {
	tag, m := w.someTag(), pick(w.rand, w.model.manifests)
	if tag == nil || m == nil || m.digest == tag.digest {
		return true, nil
	}
	tag.was, tag.digest = tag.digest, m.digest
	_, alive, err := w.tell(tag, present, 201, "PUT", w.path(tag.path), m.media, m.bytes)
	if alive {
		tag.was = ""
	}
	return alive, err
}

func (w *writer) someTag() *thing {
	for _, t := range w.model.tags { // the order is random enough
		if t.fate == present {
			return t
		}
	}
	return nil
}

func (w *writer) deleteTag() (bool, error) {
	tag := w.someTag()
	if tag == nil || w.rand.IntN(2) == 0 {
		return true, nil
	}
	_, alive, err := w.tell(tag, absent, 202, "DELETE", w.path(tag.path), "", nil)
	return alive, err
}

// deleteManifest deletes one that no index holds, with all its tags.
func (w *writer) deleteManifest() (bool, error) {
	m := pick(w.rand, w.model.manifests)
	if m == nil || m.used || w.rand.IntN(3) > 0 {
		return true, nil
	}
	var tags []*thing
	for _, t := range w.model.tags {
		if t.digest == m.digest && t.fate == present {
			tags = append(tags, t)
		}
	}
	_, alive, err := w.tell(m, absent, 202, "DELETE", w.path(m.path), "", nil, tags...)
	return alive, err
}

// pool is blobs that all may mount from.
type pool struct {
	mu    sync.Mutex
	repos []string
	blobs []*thing
}

func (p *pool) add(repo string, t *thing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.repos, p.blobs = append(p.repos, repo), append(p.blobs, t)
}

func (p *pool) pick(r *rand.Rand) (repo string, t *thing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.blobs) == 0 {
		return "", nil
	}
	i := r.IntN(len(p.blobs))
	return p.repos[i], p.blobs[i]
}
