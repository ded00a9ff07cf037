package metadatatest

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
)

var modelTests = []test{
	{"Model/1", func(e *env) { againstModel(e, 1) }},
	{"Model/2", func(e *env) { againstModel(e, 2) }},
	{"Model/3", func(e *env) { againstModel(e, 3) }},
}

// model is the contract in the plainest way: everything is searched.
type model struct {
	repos map[string]*modelRepo
}

type modelRepo struct {
	links     map[oci.Digest]bool
	manifests map[oci.Digest]*oci.Manifest
	tags      map[string]oci.Digest
}

func (m *model) repo(name string) *modelRepo {
	if r := m.repos[name]; r != nil {
		return r
	}
	return &modelRepo{map[oci.Digest]bool{}, map[oci.Digest]*oci.Manifest{}, map[string]oci.Digest{}}
}

// holders are the manifests that list d, as a blob or as a child.
func (r *modelRepo) holders(d oci.Digest, list func(*oci.Manifest) []oci.Descriptor) map[oci.Digest]bool {
	held := map[oci.Digest]bool{}
	for _, m := range r.manifests {
		if slices.ContainsFunc(list(m), func(c oci.Descriptor) bool { return c.Digest == d }) {
			held[m.Digest] = true
		}
	}
	return held
}

func blobsOf(m *oci.Manifest) []oci.Descriptor { return m.Blobs }

func childrenOf(m *oci.Manifest) []oci.Descriptor { return m.Manifests }

func (r *modelRepo) missing(m *oci.Manifest) map[oci.Digest]bool {
	absent := map[oci.Digest]bool{}
	for _, b := range m.Required() {
		if !r.links[b.Digest] {
			absent[b.Digest] = true
		}
	}
	for _, c := range m.Manifests {
		if r.manifests[c.Digest] == nil {
			absent[c.Digest] = true
		}
	}
	return absent
}

// The little world that the operations are drawn from: few names, so that
// they meet.
var (
	modelRepos = []string{"a", "a-b", "a/b", "ab"}
	modelBlobs = []string{"b0", "b1", "b2", "b3", "b4"}
	modelTags  = []string{"v1", "v10", "latest", "v-1"}
)

func modelManifests() []*oci.Manifest {
	i0 := image{config: "b0", layers: []string{"b1", "b1"}}.make()
	i1 := image{config: "b1", layers: []string{"b2", "b0"}}.make()
	i2 := image{config: "b3", foreign: []string{"b4"}}.make()
	s0 := image{config: "b3", subject: i0, annotations: map[string]string{"k": "v"}}.make()
	s1 := image{config: "b3", subject: i0, algorithm: oci.SHA512}.make()
	x0 := index(i0, i1)
	return []*oci.Manifest{i0, i1, i2, s0, s1, x0, index(x0, i2), referringIndex(i0, i0, s0)}
}

func againstModel(e *env, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0))
	m := &model{repos: map[string]*modelRepo{}}
	manifests := modelManifests()
	for step := range 1500 {
		repo := modelRepos[r.IntN(len(modelRepos))]
		what := m.step(e, r, repo, manifests)
		if e.Failed() {
			e.Fatalf("seed %d, step %d: %s", seed, step, what)
		}
		if step%150 == 149 {
			e.reopen()
			m.compare(e, manifests)
		}
	}
}

// step does one thing to the store and to the model and compares the errors.
func (m *model) step(e *env, r *rand.Rand, repo string, manifests []*oci.Manifest) string {
	name := modelBlobs[r.IntN(len(modelBlobs))]
	manifest := manifests[r.IntN(len(manifests))]
	tagName := modelTags[r.IntN(len(modelTags))]
	switch n := r.IntN(20); {
	case n < 6:
		m.link(repo, digest(name))
		e.ok(e.LinkBlob(e.ctx, repo, blob(name), ""))
		return "link " + repo + " " + name
	case n < 8:
		from := modelRepos[r.IntN(len(modelRepos))]
		_, err := e.MountBlob(e.ctx, repo, from, digest(name))
		if m.repo(from).links[digest(name)] {
			m.link(repo, digest(name))
			same(e, err, nil)
		} else {
			same(e, err, fs.ErrNotExist)
		}
		return "mount " + repo + " " + from + " " + name
	case n < 10:
		m.unlink(e, repo, digest(name))
		return "unlink " + repo + " " + name
	case n < 16:
		m.put(e, repo, metadata.PutManifest{Manifest: manifest, Tags: []string{tagName}[:r.IntN(2)], Sparse: r.IntN(8) == 0, Now: now})
		return fmt.Sprintf("put %s %s", repo, manifest.Digest)
	case n < 18:
		m.delete(e, repo, manifest.Digest)
		return fmt.Sprintf("delete %s %s", repo, manifest.Digest)
	default:
		err := e.DeleteTag(e.ctx, repo, tagName)
		if _, there := m.repo(repo).tags[tagName]; there {
			delete(m.repo(repo).tags, tagName)
			same(e, err, nil)
		} else {
			same(e, err, fs.ErrNotExist)
		}
		return "untag " + repo + " " + tagName
	}
}

func same(e *env, got, want error) {
	e.Helper()
	if !errors.Is(got, want) {
		e.Errorf("error is %v, want %v", got, want)
	}
}

func (m *model) link(repo string, d oci.Digest) {
	m.repos[repo] = m.repo(repo)
	m.repos[repo].links[d] = true
}

func (m *model) unlink(e *env, repo string, d oci.Digest) {
	err := e.UnlinkBlob(e.ctx, repo, d)
	r := m.repo(repo)
	switch held := r.holders(d, blobsOf); {
	case !r.links[d]:
		same(e, err, fs.ErrNotExist)
	case len(held) > 0:
		inUse(e, err, held)
	default:
		delete(r.links, d)
		same(e, err, nil)
	}
}

func (m *model) put(e *env, repo string, p metadata.PutManifest) {
	err := e.PutManifest(e.ctx, repo, p)
	r := m.repo(repo)
	if absent := r.missing(p.Manifest); len(absent) > 0 && !p.Sparse {
		e.missing(err, slices.Collect(maps.Keys(absent))...)
		return
	}
	m.repos[repo] = r
	r.manifests[p.Manifest.Digest] = p.Manifest
	for _, tag := range p.Tags {
		r.tags[tag] = p.Manifest.Digest
	}
	same(e, err, nil)
}

func (m *model) delete(e *env, repo string, d oci.Digest) {
	err := e.DeleteManifest(e.ctx, repo, d)
	r := m.repo(repo)
	switch held := r.holders(d, childrenOf); {
	case r.manifests[d] == nil:
		same(e, err, fs.ErrNotExist)
	case len(held) > 0:
		inUse(e, err, held)
	default:
		delete(r.manifests, d)
		maps.DeleteFunc(r.tags, func(_ string, tagged oci.Digest) bool { return tagged == d })
		same(e, err, nil)
	}
}

func inUse(e *env, err error, parents map[oci.Digest]bool) {
	e.Helper()
	var held *metadata.InUseError
	if !errors.As(err, &held) || !parents[held.Parent] {
		e.Errorf("error is %v, want that one of %v needs it", err, parents)
	}
}

// compare holds everything that can be read against the model.
func (m *model) compare(e *env, manifests []*oci.Manifest) {
	e.Helper()
	equal(e, all(e, e.Repositories(e.ctx, "")), append([]string{}, slices.Sorted(maps.Keys(m.repos))...))
	for _, name := range modelRepos {
		r := m.repo(name)
		equal(e, all(e, e.Tags(e.ctx, name, "")), append([]string{}, slices.Sorted(maps.Keys(r.tags))...))
		for tagName, d := range r.tags {
			e.holds(name, tag(tagName), r.manifests[d])
		}
		for _, manifest := range manifests {
			if r.manifests[manifest.Digest] != nil {
				e.holds(name, by(manifest.Digest), manifest)
			} else {
				e.lacks(name, by(manifest.Digest))
			}
			m.compareReferrers(e, name, manifest.Digest)
		}
	}
	for _, name := range modelBlobs {
		linked := []string{}
		for _, repo := range modelRepos {
			_, err := e.Blob(e.ctx, repo, digest(name))
			if m.repo(repo).links[digest(name)] {
				linked = append(linked, repo)
				e.ok(err)
			} else {
				e.absent(err)
			}
		}
		equal(e, all(e, e.Linked(e.ctx, digest(name))), linked)
	}
}

func (m *model) compareReferrers(e *env, repo string, subject oci.Digest) {
	e.Helper()
	want := []oci.Descriptor{}
	for _, manifest := range m.repo(repo).manifests {
		if manifest.Subject != nil && manifest.Subject.Digest == subject {
			want = append(want, referrer(manifest))
		}
	}
	slices.SortFunc(want, func(a, b oci.Descriptor) int { return compare(a.Digest, b.Digest) })
	equal(e, all(e, e.Referrers(e.ctx, repo, subject, "")), want)
}
