package usage

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
)

const (
	// Keep is how long usage is kept.
	Keep = 92 * 24 * time.Hour

	// Rows of an hour in full detail, and all of them.
	maxDetailed = 10_000
	maxRows     = 2 * maxDetailed

	// batch is how many rows are written in one transaction.
	batch = 1000

	// maxName bounds the name of a principal in a row, in bytes: an outside
	// issuer may choose it.
	maxName = 256
)

// Recorder adds up usage. It is safe for concurrent use. The zero hour of a
// clock that is set back is another hour, nothing else.
type Recorder struct {
	store metadata.Usages
	off   atomic.Bool

	mu   sync.Mutex
	rows map[row]*pending
}

// row is what usage is told apart by, in a form that costs no allocation to
// look up.
type row struct {
	hour            int64 // since 1970
	kind            auth.Kind
	name, repo, tag string
	token           string
	client          netip.Addr
	digest          oci.Digest
}

// pending is what has not been written yet.
type pending struct{ pulls, checks int64 }

// NewRecorder returns a recorder that is on.
func NewRecorder(store metadata.Usages) *Recorder {
	return &Recorder{store: store, rows: map[row]*pending{}}
}

// Enable switches the recorder on or off.
func (r *Recorder) Enable(on bool) { r.off.Store(!on) }

// Pulled records a pull.
func (r *Recorder) Pulled(who auth.Principal, repo string, ref oci.Reference, d oci.Digest, now time.Time) {
	r.add(who, repo, ref, d, now, pending{pulls: 1})
}

// Checked records a request that asked whether there is something new.
func (r *Recorder) Checked(who auth.Principal, repo string, ref oci.Reference, d oci.Digest, now time.Time) {
	r.add(who, repo, ref, d, now, pending{checks: 1})
}

func (r *Recorder) add(who auth.Principal, repo string, ref oci.Reference, d oci.Digest, now time.Time, more pending) {
	if r.off.Load() {
		return
	}
	k := row{
		hour: now.Unix() / 3600, kind: who.Kind, name: who.Name, repo: repo, tag: ref.Tag,
		client: who.Client, digest: d,
	}
	if who.Kind == auth.User { // a robot's only names its secret
		k.token = who.Credential
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.rows[k]
	if p == nil {
		k = r.fit(k)
		if p = r.rows[k]; p == nil {
			p = new(pending)
			r.rows[k.clone()] = p
		}
	}
	p.pulls += more.pulls
	p.checks += more.checks
}

// fit leaves out of a new row what there is no room for. r is locked.
func (r *Recorder) fit(k row) row {
	if len(k.name) > maxName {
		k.name = k.name[:maxName]
	}
	switch n := len(r.rows); {
	case n >= maxRows:
		return row{hour: k.hour, kind: k.kind}
	case n >= maxDetailed:
		return row{hour: k.hour, kind: k.kind, name: k.name, repo: k.repo}
	}
	return k
}

// clone lets go of the request that the texts are parts of.
func (k row) clone() row {
	for _, s := range [...]*string{&k.name, &k.repo, &k.tag, &k.token} {
		*s = strings.Clone(*s)
	}
	k.digest = oci.Digest(strings.Clone(string(k.digest)))
	return k
}

func (k row) key() metadata.UsageKey {
	key := metadata.UsageKey{
		Hour: time.Unix(k.hour*3600, 0).UTC(), User: auth.Principal{Kind: k.kind, Name: k.name}.ID(),
		Repo: k.repo, Tag: k.tag, Token: k.token, Digest: k.digest,
	}
	if k.client.IsValid() {
		key.Client = k.client.String()
	}
	return key
}

// Flush writes what came since the last Flush. What cannot be written is tried
// again with the next one.
func (r *Recorder) Flush(ctx context.Context, now time.Time) error {
	keys, rows := r.take(now)
	for start := 0; start < len(rows); start += batch {
		end := min(start+batch, len(rows))
		if err := r.store.AddUsage(ctx, rows[start:end]); err != nil {
			r.putBack(keys[start:], rows[start:])
			return err
		}
	}
	return nil
}

// take empties the rows, and forgets those of other hours than this.
func (r *Recorder) take(now time.Time) (keys []row, rows []metadata.Usage) {
	hour := now.Unix() / 3600
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, p := range r.rows {
		if *p != (pending{}) {
			keys = append(keys, k)
			rows = append(rows, metadata.Usage{UsageKey: k.key(), Pulls: p.pulls, Checks: p.checks})
			*p = pending{}
		}
		if k.hour != hour {
			delete(r.rows, k)
		}
	}
	return keys, rows
}

func (r *Recorder) putBack(keys []row, rows []metadata.Usage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, k := range keys {
		p := r.rows[k]
		if p == nil {
			p = new(pending)
			r.rows[k] = p
		}
		p.pulls += rows[i].Pulls
		p.checks += rows[i].Checks
	}
}

// Prune drops what is older than Keep.
func (r *Recorder) Prune(ctx context.Context, now time.Time) error {
	for {
		n, err := r.store.DropUsage(ctx, now.Add(-Keep), batch)
		if err != nil || n < batch {
			return err
		}
	}
}
