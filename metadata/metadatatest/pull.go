package metadatatest

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
)

const (
	free    = metadata.FreeManifest
	counted = metadata.CountedManifest
)

// pulls expects what asking for a manifest means.
func (e *env) pulls(repo string, m *oci.Manifest, want metadata.Pull) {
	e.Helper()
	for _, withBytes := range []bool{false, true} {
		got, err := e.Manifest(e.ctx, repo, by(m.Digest), withBytes)
		e.ok(err)
		equal(e, got.Pull, want)
	}
}

// attesting is an index that lists its last child as an attestation.
func attesting(children ...*oci.Manifest) *oci.Manifest {
	list := []oci.Descriptor{}
	for i, c := range children {
		d := oci.Descriptor{MediaType: c.MediaType, Digest: c.Digest, Size: c.Size}
		if i == len(children)-1 {
			d.Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": string(children[0].Digest)}
		}
		list = append(list, d)
	}
	return parse(oci.MediaTypeImageIndex, "", nil, map[string]any{"manifests": list})
}

var pullTests = []test{
	{"Pull/images, artifacts and indexes", func(e *env) {
		app := e.push("a", image{config: "c", layers: []string{"l"}}, "v1")
		foreign := e.push("a", image{config: "c", foreign: []string{"f"}})
		chart := e.push("a", image{config: "chart"})
		list := index(app, chart)
		e.put("a", list)
		e.reopen()
		e.pulls("a", app, counted)
		e.pulls("a", foreign, counted)
		e.pulls("a", chart, counted)
		e.pulls("a", list, free)
	}},
	{"Pull/what refers to another is free, unless it holds a file system", func(e *env) {
		app := e.push("a", image{config: "c", layers: []string{"l"}})
		sbom := e.push("a", image{config: "s", subject: app})
		disguised := e.push("a", image{config: "c", layers: []string{"l"}, subject: app})
		e.reopen()
		e.pulls("a", sbom, free)
		e.pulls("a", disguised, counted)
	}},
	{"Pull/cosign's tags", func(e *env) {
		app := e.push("a", image{config: "c", layers: []string{"l"}})
		cosign := "sha256-" + strings.TrimPrefix(string(app.Digest), "sha256:") + ".sig"
		sig := e.push("a", image{config: "sig"}, "other")
		e.pulls("a", sig, counted)
		e.put("a", sig, cosign)
		e.reopen()
		e.pulls("a", sig, free)
		e.push("b", image{config: "sig"}, "other") // of another repository
		e.pulls("b", sig, counted)
		e.ok(e.DeleteTag(e.ctx, "a", cosign))
		e.pulls("a", sig, counted)
		e.put("a", app, cosign)
		e.pulls("a", app, counted)
		e.put("a", sig, "sha256-"+strings.Repeat("0", 64)) // the tag of an index of referrers
		e.pulls("a", sig, counted)
	}},
	{"Pull/attestations", func(e *env) {
		app := e.push("a", image{config: "c", layers: []string{"l"}})
		att := e.push("a", image{config: "att"})
		disguised := e.push("a", image{config: "c2", layers: []string{"l"}})
		one, other := attesting(app, att), attesting(app, disguised)
		e.put("a", one, "v1")
		e.put("a", other, "v2")
		e.reopen()
		e.pulls("a", att, free)
		e.pulls("a", app, counted)
		e.pulls("a", disguised, counted)
		e.inUse(e.DeleteManifest(e.ctx, "a", att.Digest), one.Digest)
		e.push("b", image{config: "att"})
		e.pulls("b", att, counted)
		e.ok(e.DeleteManifest(e.ctx, "a", one.Digest))
		e.pulls("a", att, counted)
		e.ok(e.DeleteManifest(e.ctx, "a", att.Digest))
	}},
	{"Pull/an attestation that comes after its index", func(e *env) {
		app, att := image{config: "c", layers: []string{"l"}}.make(), image{config: "att"}.make()
		e.ok(e.PutManifest(e.ctx, "a", metadata.PutManifest{Manifest: attesting(app, att), Sparse: true, Now: now}))
		e.push("a", image{config: "att"})
		e.pulls("a", att, free)
	}},
	{"Pull/under /blobs", func(e *env) {
		app := e.push("a", image{config: "c", layers: []string{"l"}})
		list := index(app)
		e.put("a", list)
		for d, want := range map[oci.Digest]metadata.Pull{app.Digest: counted, list.Digest: free, digest("l"): metadata.NoManifest} {
			for _, repo := range []string{"a", "b"} {
				e.ok(e.LinkBlob(e.ctx, repo, metadata.Blob{Digest: d, Key: "k", Size: 1}, ""))
				got, err := e.Blob(e.ctx, repo, d)
				e.ok(err)
				if repo == "b" {
					want = metadata.NoManifest
				}
				equal(e, got.Pull, want)
			}
		}
	}},
}

func pullLimit(key string) metadata.PullLimit {
	return metadata.PullLimit{Key: key, Pulls: 5, Window: time.Hour, By: "user:admin", Set: now}
}

var limitTests = []test{
	{"PullLimits", func(e *env) {
		equal(e, all(e, e.PullLimits(e.ctx, "")), []metadata.PullLimit{})
		var want []metadata.PullLimit
		for _, key := range numbered("user:u", many) {
			want = append(want, pullLimit(key))
		}
		parallel(many, 64, func(i int) {
			if err := e.PutPullLimit(e.ctx, want[i]); err != nil {
				e.Error(err)
			}
		})
		e.reopen()
		listing(e, want, func(l metadata.PullLimit) string { return l.Key }, func(after string) iter.Seq2[metadata.PullLimit, error] {
			return e.PullLimits(e.ctx, after)
		})
	}},
	{"PullLimits/put and remove", func(e *env) {
		if e.PutPullLimit(e.ctx, metadata.PullLimit{}) == nil {
			e.Error("a limit without a key")
		}
		e.absent(e.RemovePullLimit(e.ctx, "user:alice"))
		e.ok(e.PutPullLimit(e.ctx, pullLimit("user:alice")))
		want := metadata.PullLimit{Key: "user:alice", By: text, Set: now.Add(time.Second), Expires: now.Add(time.Hour)}
		e.ok(e.PutPullLimit(e.ctx, want))
		e.ok(e.PutPullLimit(e.ctx, pullLimit("user:alice2")))
		e.reopen()
		equal(e, all(e, e.PullLimits(e.ctx, "")), []metadata.PullLimit{want, pullLimit("user:alice2")})
		e.ok(e.RemovePullLimit(e.ctx, "user:alice"))
		e.absent(e.RemovePullLimit(e.ctx, "user:alice"))
		equal(e, all(e, e.PullLimits(e.ctx, "")), []metadata.PullLimit{pullLimit("user:alice2")})
	}},
	{"ExpirePullLimits", func(e *env) {
		for i := range 5 {
			l := pullLimit(fmt.Sprint("user:", i))
			l.Expires = now.Add(time.Duration(i) * time.Minute)
			e.ok(e.PutPullLimit(e.ctx, l))
		}
		e.ok(e.PutPullLimit(e.ctx, pullLimit("user:forever")))
		e.ok(e.ExpirePullLimits(e.ctx, now.Add(-time.Second)))
		equal(e, len(all(e, e.PullLimits(e.ctx, ""))), 6)
		e.ok(e.ExpirePullLimits(e.ctx, now.Add(2*time.Minute)))
		e.reopen()
		var keys []string
		for _, l := range all(e, e.PullLimits(e.ctx, "")) {
			keys = append(keys, l.Key)
		}
		equal(e, keys, []string{"user:3", "user:4", "user:forever"})
	}},
}

// used is usage in an hour, counted from now.
func used(hour int, user string, pulls, checks int64) metadata.Usage {
	return metadata.Usage{UsageKey: metadata.UsageKey{Hour: now.Truncate(time.Hour).Add(time.Duration(hour) * time.Hour), User: user, Repo: "a"}, Pulls: pulls, Checks: checks}
}

var usageTests = []test{
	{"Usage", func(e *env) {
		full := metadata.Usage{UsageKey: metadata.UsageKey{
			Hour: now.Truncate(time.Hour), User: "outside:gitlab:" + text, Repo: "a/b", Tag: "v1", Token: "id", Client: "2001:db8::1",
			Digest: oci.FromBytes(oci.SHA512, nil),
		}, Pulls: 1 << 40, Checks: 3}
		e.ok(e.AddUsage(e.ctx, []metadata.Usage{full}))
		e.reopen()
		equal(e, all(e, e.Usage(e.ctx, now, now.Add(time.Hour))), []metadata.Usage{full})
		equal(e, all(e, e.Usage(e.ctx, now.Add(time.Hour), now.Add(2*time.Hour))), []metadata.Usage{})
		equal(e, all(e, e.Usage(e.ctx, now.Add(-time.Hour), now.Truncate(time.Hour))), []metadata.Usage{})
	}},
	{"AddUsage/adds", func(e *env) {
		e.ok(e.AddUsage(e.ctx, nil))
		e.ok(e.AddUsage(e.ctx, []metadata.Usage{used(0, "alice", 1, 2), used(0, "alice", 10, 0)}))
		parallel(50, 16, func(int) {
			if err := e.AddUsage(e.ctx, []metadata.Usage{used(0, "alice", 1, 1), used(0, "bob", 0, 1)}); err != nil {
				e.Error(err)
			}
		})
		e.reopen()
		equal(e, set(all(e, e.Usage(e.ctx, now, now.Add(time.Hour)))), map[metadata.Usage]bool{used(0, "alice", 61, 52): true, used(0, "bob", 0, 50): true})
	}},
	{"AddUsage/each part of the key tells apart", func(e *env) {
		rows := []metadata.Usage{used(0, "ab", 1, 0)}
		for i := range 5 {
			u := rows[0]
			*[]*string{&u.User, &u.Repo, &u.Tag, &u.Token, &u.Client}[i] = "a"
			if i == 1 {
				u.Repo = "b"
			}
			rows = append(rows, u)
		}
		other := rows[0]
		other.Digest = digest("x")
		rows = append(rows, other)
		e.ok(e.AddUsage(e.ctx, rows))
		equal(e, set(all(e, e.Usage(e.ctx, now, now.Add(time.Hour)))), set(rows))
	}},
	{"Usage/in order, and dropped", func(e *env) {
		var want []metadata.Usage
		for hour := range 300 {
			want = append(want, used(hour, "alice", int64(hour), 1))
		}
		for _, part := range [][]metadata.Usage{want[100:], want[:100]} {
			e.ok(e.AddUsage(e.ctx, part))
		}
		e.reopen()
		equal(e, all(e, e.Usage(e.ctx, time.Time{}, now.AddDate(1, 0, 0))), want)
		equal(e, all(e, e.Usage(e.ctx, want[10].Hour, want[290].Hour)), want[10:290])
		equal(e, first(e, e.Usage(e.ctx, want[10].Hour, want[290].Hour), 3), want[10:13])
		for _, step := range []struct {
			before time.Time
			n      int
			want   int
		}{{want[0].Hour, 10, 0}, {want[0].Hour.Add(1), 10, 1}, {want[200].Hour, 150, 150}, {want[200].Hour, 150, 49}, {want[200].Hour, 150, 0}} {
			n, err := e.DropUsage(e.ctx, step.before, step.n)
			e.ok(err)
			equal(e, n, step.want)
		}
		e.reopen()
		equal(e, all(e, e.Usage(e.ctx, time.Time{}, now.AddDate(1, 0, 0))), want[200:])
	}},
}
