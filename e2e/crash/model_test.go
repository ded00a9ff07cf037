package crash

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// fate is what a writer has been told of a thing.
type fate int

const (
	untold  fate = iota // a request about it was cut off: either is right
	present             // the last answer about it was a success that made it
	absent              // the last answer about it was a success that removed it
)

// thing is a blob, a manifest or a tag of a writer's repository. Bytes are
// nil for tags; points is what a tag names.
type thing struct {
	path   string // below /v2/<repository>/
	digest string
	bytes  []byte // of a blob or manifest
	media  string // of a manifest
	needs  []*thing
	fate   fate
	was    string // a tag's digest before the request that was to move it
	used   bool   // by a manifest: never deleted
	common bool   // others push the same bytes
	sealed bool   // verified since its fate was told
}

// model is what one writer knows of its repository.
type model struct {
	repo      string
	blobs     []*thing
	manifests []*thing
	tags      map[string]*thing
	inflight  []*thing // what the request under way changes, all or none
	session   *session // an upload that is open
	left      string   // the session of one by a single PUT that was cut off
}

// session is an upload that was begun.
type session struct {
	location string
	content  *thing
	acked    int // bytes
	ending   bool
}

func newModel(repo string) *model { return &model{repo: repo, tags: map[string]*thing{}} }

// blob adds a blob, or finds the one of the same bytes: what is told of it is
// told of both.
func (m *model) blob(t *thing) *thing {
	for _, known := range m.blobs {
		if t.common && known.digest == t.digest {
			return known
		}
	}
	m.blobs = append(m.blobs, t)
	return t
}

// pick returns a random one that is present, or nil.
func pick(r *rand.Rand, things []*thing) *thing {
	for range 8 {
		if len(things) == 0 {
			return nil
		}
		if t := things[r.IntN(len(things))]; t.fate == present {
			return t
		}
	}
	return nil
}

// all visits every thing of the repository.
func (m *model) all(visit func(*thing)) {
	for _, t := range m.blobs {
		visit(t)
	}
	for _, t := range m.manifests {
		visit(t)
	}
	for _, t := range m.tags {
		visit(t)
	}
}

// name is that of a tag.
func (t *thing) name() string { return strings.TrimPrefix(t.path, "manifests/") }

func (t *thing) String() string { return fmt.Sprintf("%s (fate %d)", t.path, t.fate) }
