package crash

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/berth-registry/berth/e2e/internal/berth"
)

// count is what all rounds found.
type count struct {
	acknowledged int // successes answered
	lost         int // of them not there, or there again
	incomplete   int // visible, but not whole
	// Where the kills hit.
	arriving   int // files of unfinished uploads
	published  int // bytes under their final name that no repository sees
	unanswered int // done, but the client was not told
	undone     int // begun, and nothing of it is seen
	resumed    int // uploads that went on after the start
	problems   []string
}

func (c *count) lose(format string, args ...any) {
	c.lost++
	c.problems = append(c.problems, "lost: "+fmt.Sprintf(format, args...))
}

func (c *count) half(format string, args ...any) {
	c.incomplete++
	c.problems = append(c.problems, "incomplete: "+fmt.Sprintf(format, args...))
}

// verifier compares a repository with what its writer knows.
type verifier struct {
	s *server
	c *berth.Client
	m *model
	n *count
}

// verify looks at everything that was told since it was last looked at, or at
// all of it, and settles what was not told.
func (v *verifier) verify(all bool) error {
	if err := v.cancel(); err != nil {
		return err
	}
	if err := v.resume(); err != nil {
		return err
	}
	seen := map[*thing]bool{}
	var failed error
	v.m.all(func(t *thing) {
		if failed != nil || t.sealed && !all {
			return
		}
		var visible bool
		if visible, failed = v.look(t); visible {
			seen[t] = true
		}
		t.sealed = true
	})
	v.atomic(seen)
	return failed
}

// atomic: of what one request was to change, all was or nothing.
func (v *verifier) atomic(seen map[*thing]bool) {
	n := 0
	for _, t := range v.m.inflight {
		if seen[t] {
			n++
		}
	}
	moved := len(v.m.inflight) == 1 && v.m.inflight[0].was != ""
	if n > 0 && n < len(v.m.inflight) && !moved {
		v.n.half("one request left %d of %d: %v", n, len(v.m.inflight), v.m.inflight)
	}
	v.m.inflight = nil
}

// look asks for a thing and judges the answer.
func (v *verifier) look(t *thing) (visible bool, err error) {
	a, err := v.c.Do("GET", "/v2/"+v.m.repo+"/"+t.path, "", nil)
	if err != nil {
		return false, err
	}
	visible = a.Status == 200
	if !visible && a.Status != 404 {
		return false, fmt.Errorf("GET %s: %d: %s", t, a.Status, a.Body)
	}
	got := a.Header.Get("Docker-Content-Digest")
	switch {
	case visible && berth.Digest(a.Body) != got:
		v.n.half("%s: the bytes are not those of %s", t, got)
	case t.fate == present && !visible, t.fate == present && got != t.digest:
		v.n.lose("%s in %s: status %d, digest %s, want %s", t, v.m.repo, a.Status, got, t.digest)
	case t.fate == absent && visible:
		v.n.lose("%s in %s is back", t, v.m.repo)
	case t.fate == untold:
		v.settle(t, visible, got)
	}
	if visible && t.media != "" {
		return true, v.whole(t)
	}
	return visible, nil
}

// settle learns what became of a request that was cut off.
func (v *verifier) settle(t *thing, visible bool, got string) {
	switch {
	case visible && got != t.digest && got != t.was:
		v.n.half("%s names %s, neither the old nor the new", t, got)
	case !visible && t.was != "":
		v.n.lose("%s: the tag is gone, it was only to be moved", t)
	case visible && got == t.digest:
		v.n.unanswered++
	case !t.common && t.bytes != nil && t.media == "" && v.s.stored(t.digest):
		v.n.published++
	default:
		v.n.undone++
	}
	t.fate, t.was = absent, ""
	if visible {
		t.fate, t.digest = present, got
	}
}

// whole: a manifest that can be seen has everything it needs.
func (v *verifier) whole(m *thing) error {
	for _, need := range m.needs {
		a, err := v.c.Do("GET", "/v2/"+v.m.repo+"/"+need.path, "", nil)
		if err != nil {
			return err
		}
		if a.Status != 200 || !bytes.Equal(a.Body, need.bytes) {
			v.n.half("%s needs %s: status %d, %d bytes of %d", m, need, a.Status, len(a.Body), len(need.bytes))
		}
	}
	return nil
}

// cancel gives up a session whose only PUT was cut off: it has no bytes that
// were told of, or its blob is there. Of hundreds of kills they would be more
// than a principal may have open.
func (v *verifier) cancel() error {
	if v.m.left == "" {
		return nil
	}
	a, err := v.c.Do("DELETE", v.m.left, "", nil)
	if err != nil {
		return err
	}
	v.m.left = ""
	if a.Status != 204 && a.Status != 404 {
		v.n.lose("a session to cancel: %d: %s", a.Status, a.Body)
	}
	return nil
}

// resume goes on with the upload that was open when the server died.
func (v *verifier) resume() error {
	s := v.m.session
	if s == nil {
		return nil
	}
	v.m.session = nil
	a, err := v.c.Do("GET", s.location, "", nil)
	if err != nil {
		return err
	}
	if a.Status == 404 && s.ending {
		return nil // the blob is there, or its client begins again: verify looks
	}
	_, last, _ := strings.Cut(a.Header.Get("Range"), "-")
	n, err := strconv.Atoi(last)
	at := n + 1
	if n == 0 && s.acked == 0 {
		at = 0 // 0-0 is an empty upload, or one of one byte: begin at 0 and see
	}
	if a.Status != 204 || err != nil || at < s.acked || at > len(s.content.bytes) {
		v.n.lose("an upload of %d acknowledged bytes: status %d, Range %q", s.acked, a.Status, a.Header.Get("Range"))
		return nil
	}
	return v.finish(s, at)
}

func (v *verifier) finish(s *session, at int) error {
	a, err := v.c.Do("PUT", s.location+"?digest="+s.content.digest, "application/octet-stream", s.content.bytes[at:])
	if err != nil {
		return err
	}
	switch {
	case a.Status == 201:
		v.n.resumed++
		s.content.fate = present
	case a.Status == 404 && s.ending:
	default:
		v.n.lose("an upload that was to go on at %d of %d: %d: %s", at, len(s.content.bytes), a.Status, a.Body)
	}
	return nil
}
