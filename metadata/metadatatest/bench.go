package metadatatest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
)

// Bench measures the hot paths. The look-ups and pages run against a store
// with ten thousand tags around what they look for.
func Bench(b *testing.B, fresh Fresh) {
	b.Run("Lookup", func(b *testing.B) { benchLookups(newEnv(b, fresh), b) })
	b.Run("LinkBlob", func(b *testing.B) {
		e := newEnv(b, fresh)
		benchWriters(b, func(i int) error { return e.LinkBlob(e.ctx, "a", blob(fmt.Sprint("x", i)), "") })
	})
	b.Run("PutManifest", func(b *testing.B) { benchPuts(newEnv(b, fresh), b) })
	b.Run("Session", func(b *testing.B) { benchSessions(newEnv(b, fresh), b) })
	for _, n := range []int{1e2, 1e4, 1e5} {
		b.Run(fmt.Sprintf("TagsPage/of=%d", n), func(b *testing.B) { benchTags(newEnv(b, fresh), b, n) })
	}
}

// benchImage has as many layers as a usual image.
func (e *env) benchImage(repo string) image {
	e.Helper()
	i := image{config: "c", layers: []string{"l1", "l2", "l3", "l4", "l5"}}
	e.link(repo, "c", "l1", "l2", "l3", "l4", "l5")
	return i
}

func benchLookups(e *env, b *testing.B) {
	i := e.benchImage("library/alpine")
	m := e.push("library/alpine", i, numbered("v", 10_000)...)
	bench := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e.ok(f())
			}
		})
		b.Run(name+"/parallel", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := f(); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
	bench("tag", func() error {
		_, err := e.Manifest(e.ctx, "library/alpine", tag("v5000"), false)
		return err
	})
	bench("manifest with bytes", func() error {
		_, err := e.Manifest(e.ctx, "library/alpine", by(m.Digest), true)
		return err
	})
	bench("blob", func() error {
		_, err := e.Blob(e.ctx, "library/alpine", digest("l3"))
		return err
	})
}

// benchWriters runs f alone and from several goroutines, each i once.
func benchWriters(b *testing.B, f func(i int) error) {
	i := 0
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			from := i
			i += b.N
			parallel(b.N, writers, func(n int) {
				if err := f(from + n); err != nil {
					b.Error(err)
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
		})
	}
}

// benchPuts pushes a new manifest with a new tag each time, into a repository
// that has none and into one with 10^5 tags.
func benchPuts(e *env, b *testing.B) {
	for _, n := range []int{0, 1e5} {
		repo := fmt.Sprintf("r%d", n)
		i := e.benchImage(repo)
		e.fill(repo, i, n)
		b.Run(fmt.Sprintf("tags=%d", n), func(b *testing.B) {
			benchWriters(b, func(n int) error {
				i := i
				i.annotations = map[string]string{"n": fmt.Sprint(n)}
				return e.tryPut(repo, i.make(), fmt.Sprint("b", n))
			})
		})
	}
}

// fill sets n tags, each to a manifest of its own, some hundred at a time.
func (e *env) fill(repo string, i image, n int) {
	parallel(n, 256, func(n int) {
		i := i
		i.annotations = map[string]string{"of": fmt.Sprint(n)}
		if err := e.tryPut(repo, i.make(), fmt.Sprintf("v%06d", n)); err != nil {
			e.Error(err)
		}
	})
}

func benchTags(e *env, b *testing.B, n int) {
	var tags []string
	for i := range n {
		tags = append(tags, fmt.Sprintf("v%06d", i))
	}
	e.put("a", index(), tags...)
	for b.Loop() {
		if got := first(b, e.Tags(e.ctx, "a", tags[n/2-1]), min(50, n/2)); got[0] != tags[n/2] {
			b.Fatal(got)
		}
	}
}

func benchSessions(e *env, b *testing.B) {
	s := session(strings.Repeat("s", 32), "alice", 0)
	s.State, s.Algorithm = make([]byte, 300), oci.SHA256
	b.Run("put", func(b *testing.B) {
		for b.Loop() {
			s.Version++
			e.ok(e.PutSession(e.ctx, s))
		}
	})
	b.Run("get", func(b *testing.B) {
		for b.Loop() {
			got, err := e.Session(e.ctx, s.ID)
			e.ok(err)
			_ = metadata.Session(got)
		}
	})
	b.Run("one upload", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			one := session(fmt.Sprint("one", i), "alice", 1)
			e.ok(e.PutSession(e.ctx, one))
			e.ok(e.DeleteSession(e.ctx, one.ID))
		}
	})
}
