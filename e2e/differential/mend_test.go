package differential

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// mend makes the two registries equal again after they did different things.
type mend func(p *pair, x exchange) error

// fetch sends a request outside of the comparison.
func (at *side) fetch(s step, want ...int) (answer, error) {
	a, err := at.send(s)
	if err != nil {
		return a, err
	}
	for _, status := range want {
		if a.status == status {
			return a, nil
		}
	}
	return a, fmt.Errorf("%s: %s: %s", at.name, s, a.outcome())
}

// mendSession is the number of sessions that mends use themselves.
const mendSession = -1

// give pushes content to one registry.
func (at *side) give(repo string, content []byte) error {
	for _, s := range push(repo, mendSession, content) {
		if _, err := at.fetch(s, http.StatusAccepted, http.StatusCreated); err != nil {
			return err
		}
	}
	return nil
}

// restoreBlob pushes to distribution what it deleted and berth kept.
func restoreBlob(p *pair, x exchange) error {
	a, err := p.berth.fetch(getBlob(x.repo, x.ref), http.StatusOK)
	if err != nil {
		return err
	}
	return p.dist.give(x.repo, []byte(a.body))
}

// restoreManifest pushes to distribution what it deleted and berth kept, with
// its tags.
func restoreManifest(p *pair, x exchange) error {
	return copyManifest(p.berth, p.dist, x.repo, x.ref)
}

func copyManifest(from, to *side, repo, digest string) error {
	a, err := from.fetch(getManifest(repo, digest), http.StatusOK)
	if err != nil {
		return err
	}
	d := document{contentType: a.header["Content-Type"], body: []byte(a.body)}
	refs := []string{digest}
	for _, tag := range allTags {
		h, err := from.fetch(headManifest(repo, tag), http.StatusOK, http.StatusNotFound)
		if err != nil {
			return err
		}
		if h.header["Docker-Content-Digest"] == digest {
			refs = append(refs, tag)
		}
	}
	for _, ref := range refs {
		if _, err := to.fetch(putManifest(repo, ref, d), http.StatusCreated); err != nil {
			return err
		}
	}
	return nil
}

// undoManifest takes back a manifest that only one registry accepted.
func undoManifest(p *pair, x exchange) error {
	switch {
	case x.berth.status == http.StatusCreated:
		return takeBack(p.berth, p.dist, x)
	case x.dist.status == http.StatusCreated:
		return takeBack(p.dist, p.berth, x)
	}
	return nil
}

// takeBack makes accepted like refused again: without the manifest, or with
// it as refused has it, and with the tag where it was.
func takeBack(accepted, refused *side, x exchange) error {
	digest := digestOf(x.body)
	if _, err := accepted.fetch(deleteManifest(x.repo, digest), http.StatusAccepted); err != nil {
		return err
	}
	before := []string{digest}
	if !strings.Contains(x.ref, ":") {
		before = append(before, x.ref)
	}
	for _, ref := range before {
		a, err := refused.fetch(headManifest(x.repo, ref), http.StatusOK, http.StatusNotFound)
		if err != nil {
			return err
		}
		if a.status == http.StatusNotFound {
			continue
		}
		if err := copyManifest(refused, accepted, x.repo, a.header["Docker-Content-Digest"]); err != nil {
			return err
		}
	}
	return nil
}

// addTags sets at distribution the tags that only berth read.
func addTags(p *pair, x exchange) error {
	values, err := url.ParseQuery(x.query)
	if err != nil {
		return err
	}
	for _, tag := range values["tag"] {
		d := document{contentType: x.header.Get("Content-Type"), body: x.body}
		if _, err := p.dist.fetch(putManifest(x.repo, tag, d), http.StatusCreated); err != nil {
			return err
		}
	}
	return nil
}

// giveBlob pushes to distribution the blob that only berth took, and ends the
// session that distribution opened instead.
func giveBlob(p *pair, x exchange) error {
	a, err := p.berth.fetch(getBlob(x.repo, x.ref), http.StatusOK)
	if err != nil {
		return err
	}
	if err := p.dist.give(x.repo, []byte(a.body)); err != nil {
		return err
	}
	return forgetSession(p, x)
}

// forgetSession ends the session of a step, wherever it is still open.
func forgetSession(p *pair, x exchange) error {
	n := x.session + x.opens // one of them is 0
	for _, at := range []*side{p.dist, p.berth} {
		if _, open := at.sessions[n]; !open {
			continue
		}
		if _, err := at.fetch(status(x.repo, n), http.StatusNoContent, http.StatusNotFound); err != nil {
			return err
		}
		if _, err := at.fetch(cancel(x.repo, n), http.StatusNoContent, http.StatusNotFound); err != nil {
			return err
		}
		delete(at.sessions, n)
	}
	return nil
}

// evenUpload makes an upload equal that only one registry let go on: a blob
// that it took is given to the other, a session that is still open ended.
func evenUpload(p *pair, x exchange) error {
	switch {
	case x.berth.status == http.StatusCreated:
		return giveBlob(p, x)
	case x.dist.status == http.StatusCreated:
		return giveBerth(p, x)
	}
	return forgetSession(p, x)
}

// giveBerth pushes to berth the blob that only distribution took.
func giveBerth(p *pair, x exchange) error {
	a, err := p.dist.fetch(getBlob(x.repo, x.ref), http.StatusOK)
	if err != nil {
		return err
	}
	if err := p.berth.give(x.repo, []byte(a.body)); err != nil {
		return err
	}
	return forgetSession(p, x)
}
