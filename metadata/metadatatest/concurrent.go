package metadatatest

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
)

var concurrentTests = []test{
	{"Concurrent/one repository", func(e *env) { oneRepository(e) }},
	{"Concurrent/put manifest against unlink blob", func(e *env) { putAgainstUnlink(e) }},
	{"Concurrent/put index against delete child", func(e *env) { putAgainstDelete(e) }},
	{"Concurrent/mount against unlink", func(e *env) { mountAgainstUnlink(e) }},
	{"Concurrent/one deletion wins", func(e *env) {
		m := e.push("a", image{config: "c"}, "v1")
		for name, del := range map[string]func() error{
			"tag":      func() error { return e.DeleteTag(e.ctx, "a", "v1") },
			"manifest": func() error { return e.DeleteManifest(e.ctx, "a", m.Digest) },
			"blob":     func() error { return e.UnlinkBlob(e.ctx, "ab", digest("x")) },
		} {
			e.put("a", m, "v1")
			e.link("ab", "x")
			var won atomic.Int64
			parallel(16, 16, func(int) {
				switch err := del(); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, fs.ErrNotExist):
					e.Errorf("%s: %v", name, err)
				}
			})
			equal(e, won.Load(), int64(1))
		}
	}},
}

// oneRepository has 64 writers push, tag and delete beside each other. What
// each was told in the end is what is there.
func oneRepository(e *env) {
	const writers, rounds = 64, 8
	var kept, gone sync.Map // tag -> *oci.Manifest
	parallel(writers, writers, func(w int) {
		for r := range rounds {
			name := fmt.Sprintf("%02d-%d", w, r)
			m := image{config: "c" + name, layers: []string{"shared"}}.make()
			err := errors.Join(
				e.LinkBlob(e.ctx, "a", blob("c"+name), ""),
				e.LinkBlob(e.ctx, "a", blob("shared"), ""),
				e.tryPut("a", m, name, "latest"))
			switch r % 4 {
			case 0:
				gone.Store(name, m)
				err = errors.Join(err, e.DeleteManifest(e.ctx, "a", m.Digest), e.UnlinkBlob(e.ctx, "a", digest("c"+name)))
			case 1:
				gone.Store(name, m)
				err = errors.Join(err, e.DeleteTag(e.ctx, "a", name))
			default:
				kept.Store(name, m)
			}
			if err != nil {
				e.Errorf("%s: %v", name, err)
			}
		}
	})
	e.reopen()
	listed := set(all(e, e.Tags(e.ctx, "a", "")))
	kept.Range(func(name, m any) bool {
		e.holds("a", tag(name.(string)), m.(*oci.Manifest))
		delete(listed, name.(string))
		return true
	})
	gone.Range(func(name, _ any) bool {
		e.lacks("a", tag(name.(string)))
		return true
	})
	delete(listed, "latest") // of whoever was last, unless that one deleted it
	equal(e, listed, map[string]bool{})
}

// putAgainstUnlink races a push with the removal of its layer, some thousand
// times. Whoever comes second is refused.
func putAgainstUnlink(e *env) {
	parallel(2000, 32, func(i int) {
		layer := fmt.Sprint("layer", i)
		if err := errors.Join(e.LinkBlob(e.ctx, "a", blob("c"), ""), e.LinkBlob(e.ctx, "a", blob(layer), "")); err != nil {
			e.Error(err)
		}
		m := image{config: "c", layers: []string{layer}}.make()
		put, unlink := race(i,
			func() error { return e.tryPut("a", m, fmt.Sprint("t", i)) },
			func() error { return e.UnlinkBlob(e.ctx, "a", digest(layer)) })
		_, blobErr := e.Blob(e.ctx, "a", digest(layer))
		_, manifestErr := e.Manifest(e.ctx, "a", tag(fmt.Sprint("t", i)), false)
		var missing *metadata.MissingError
		var inUse *metadata.InUseError
		switch {
		case put == nil && errors.As(unlink, &inUse) && blobErr == nil && manifestErr == nil:
		case unlink == nil && errors.As(put, &missing) && errors.Is(blobErr, fs.ErrNotExist) && errors.Is(manifestErr, fs.ErrNotExist):
		default:
			e.Errorf("put: %v, unlink: %v; then blob: %v, manifest: %v", put, unlink, blobErr, manifestErr)
		}
	})
}

// putAgainstDelete is the same for an index and its child.
func putAgainstDelete(e *env) {
	e.link("a", "c")
	parallel(500, 32, func(i int) {
		child := image{config: "c", annotations: map[string]string{"n": fmt.Sprint(i)}}.make()
		if err := e.tryPut("a", child); err != nil {
			e.Error(err)
		}
		parent := index(child)
		put, del := race(i,
			func() error { return e.tryPut("a", parent) },
			func() error { return e.DeleteManifest(e.ctx, "a", child.Digest) })
		_, childErr := e.Manifest(e.ctx, "a", by(child.Digest), true)
		var missing *metadata.MissingError
		var inUse *metadata.InUseError
		switch {
		case put == nil && errors.As(del, &inUse) && inUse.Parent == parent.Digest && childErr == nil:
		case del == nil && errors.As(put, &missing) && errors.Is(childErr, fs.ErrNotExist):
		default:
			e.Errorf("put: %v, delete: %v; then child: %v", put, del, childErr)
		}
	})
}

// mountAgainstUnlink: a mount that was answered stays.
func mountAgainstUnlink(e *env) {
	parallel(500, 32, func(i int) {
		name := fmt.Sprint("x", i)
		if err := e.LinkBlob(e.ctx, "from", blob(name), ""); err != nil {
			e.Error(err)
		}
		mount, unlink := race(i,
			func() error { _, err := e.MountBlob(e.ctx, "to", "from", digest(name)); return err },
			func() error { return e.UnlinkBlob(e.ctx, "from", digest(name)) })
		_, err := e.Blob(e.ctx, "to", digest(name))
		switch {
		case unlink == nil && mount == nil && err == nil:
		case unlink == nil && errors.Is(mount, fs.ErrNotExist) && errors.Is(err, fs.ErrNotExist):
		default:
			e.Errorf("mount: %v, unlink: %v; then blob: %v", mount, unlink, err)
		}
	})
}

// race runs both at once; n decides which of them is started first.
func race(n int, a, b func() error) (errA, errB error) {
	done := make(chan struct{})
	if n%2 == 0 {
		go func() { defer close(done); errB = b() }()
		errA = a()
	} else {
		go func() { defer close(done); errA = a() }()
		errB = b()
	}
	<-done
	return errA, errB
}
