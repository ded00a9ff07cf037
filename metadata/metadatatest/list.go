package metadatatest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
)

// tricky are names whose byte order is not that of a reader, and which are
// prefixes of each other. They are sorted.
var tricky = []string{"a", "a-b", "a.b", "a/b", "a/b/c", "a0", "a_b", "ab", "ab/c", "b"}

// many is more than a page of any implementation's own.
const many = 700

func numbered(prefix string, n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("%s%04d", prefix, i))
	}
	return list
}

// listing holds one listing against what it should have: all of it, strictly
// after each entry, after what is no entry, broken off, and used again.
func listing[T any](e *env, want []T, name func(T) string, seq func(after string) iter.Seq2[T, error]) {
	e.Helper()
	whole := seq("")
	equal(e, all(e, whole), want)
	equal(e, all(e, whole), want)
	for i := 0; i < len(want); i += 1 + len(want)/20 {
		equal(e, all(e, seq(name(want[i]))), want[i+1:])
		equal(e, first(e, whole, i+1), want[:i+1])
	}
}

func itself(s string) string { return s }

var listTests = []test{
	{"Repositories", func(e *env) {
		equal(e, all(e, e.Repositories(e.ctx, "")), []string{})
		for _, name := range []string{"b", "ab", "a/b", "a", "a_b", "a-b", "a0", "ab/c", "a.b", "a/b/c", "a"} {
			e.link(name, "x")
		}
		e.reopen()
		after := func(after string) iter.Seq2[string, error] { return e.Repositories(e.ctx, after) }
		listing(e, tricky, itself, after)
		equal(e, all(e, after("a/")), tricky[3:]) // after need not exist
		equal(e, all(e, after("b")), []string{})
		equal(e, all(e, after("zzz")), []string{})
		equal(e, all(e, e.Linked(e.ctx, digest("x"))), tricky)
	}},
	{"Repositories/many, and Linked", func(e *env) {
		names := numbered("r", many)
		parallel(many, 64, func(i int) {
			if err := e.LinkBlob(e.ctx, names[i], blob("x"), ""); err != nil {
				e.Error(err)
			}
		})
		e.reopen()
		listing(e, names, itself, func(after string) iter.Seq2[string, error] { return e.Repositories(e.ctx, after) })
		equal(e, all(e, e.Linked(e.ctx, digest("x"))), names)
		equal(e, first(e, e.Linked(e.ctx, digest("x")), 3), names[:3])
		equal(e, all(e, e.Linked(e.ctx, digest("y"))), []string{})
	}},
	{"Exists", func(e *env) {
		e.link("a/b", "x")
		e.put("c", index())
		_, err := e.MountBlob(e.ctx, "d", "a/b", digest("x"))
		e.ok(err)
		e.reopen()
		for name, want := range map[string]bool{"a/b": true, "c": true, "d": true, "a": false, "a/": false, "a/b/c": false, "": false} {
			found, err := e.Exists(e.ctx, name)
			e.ok(err)
			if found != want {
				e.Errorf("Exists(%q) = %v", name, found)
			}
		}
		e.ok(e.DeleteManifest(e.ctx, "c", index().Digest))
		found, err := e.Exists(e.ctx, "c")
		e.ok(err)
		equal(e, found, true) // something was pushed to it
	}},
	{"Tags", func(e *env) {
		equal(e, all(e, e.Tags(e.ctx, "a", "")), []string{})
		tags := []string{"0", "1.0", "1.0-rc", "10", "A", "Z", "_", "a", "a.b", "aB", "b"}
		e.put("a", index(), "b", "_", "a", "A", "a.b", "10", "0", "1.0", "Z", "aB", "1.0-rc")
		for i, name := range []string{"a-b", "a.b", "a/b", "ab"} {
			e.put(name, index(), fmt.Sprintf("of-another-%d", i))
		}
		e.reopen()
		listing(e, tags, itself, func(after string) iter.Seq2[string, error] { return e.Tags(e.ctx, "a", after) })
		equal(e, all(e, e.Tags(e.ctx, "a", "1.")), tags[1:])
		equal(e, all(e, e.Tags(e.ctx, "a", "zzz")), []string{})
		equal(e, all(e, e.Tags(e.ctx, "a-b", "")), []string{"of-another-0"})
		equal(e, all(e, e.Tags(e.ctx, "a-", "")), []string{})
	}},
	{"Tags/many", func(e *env) {
		tags := numbered("v", many)
		e.put("a", index(), tags...)
		e.put("ab", index(), "v1")
		e.reopen()
		listing(e, tags, itself, func(after string) iter.Seq2[string, error] { return e.Tags(e.ctx, "a", after) })
		e.ok(e.DeleteManifest(e.ctx, "a", index().Digest))
		equal(e, all(e, e.Tags(e.ctx, "a", "")), []string{})
		equal(e, all(e, e.Tags(e.ctx, "ab", "")), []string{"v1"})
	}},
	{"Referrers", func(e *env) {
		subject := image{config: "nobody pushed it"}.make()
		equal(e, all(e, e.Referrers(e.ctx, "a", subject.Digest, "")), []oci.Descriptor{})
		sign := func(repo string, i image) oci.Descriptor { return referrer(e.push(repo, i)) }
		want := []oci.Descriptor{
			sign("a", image{config: "1", subject: subject}),
			sign("a", image{config: "2", subject: subject, artifact: "application/vnd.example+json", annotations: map[string]string{"a": "1", "b": ""}}),
			sign("a", image{config: "3", subject: subject, algorithm: oci.SHA512}),
		}
		listed := referringIndex(subject)
		e.put("a", listed)
		want = append(want, referrer(listed))
		slices.SortFunc(want, func(a, b oci.Descriptor) int { return compare(a.Digest, b.Digest) })
		sign("ab", image{config: "4", subject: subject})
		sign("a", image{config: "5", subject: image{config: "another subject"}.make()})
		e.reopen()
		listing(e, want, func(d oci.Descriptor) string { return string(d.Digest) }, func(after string) iter.Seq2[oci.Descriptor, error] {
			return e.Referrers(e.ctx, "a", subject.Digest, oci.Digest(after))
		})
		e.ok(e.DeleteManifest(e.ctx, "a", want[1].Digest))
		equal(e, all(e, e.Referrers(e.ctx, "a", subject.Digest, "")), slices.Delete(want, 1, 2))
	}},
	{"Referrers/many", func(e *env) {
		subject := e.push("a", image{config: "c"})
		want := make([]oci.Descriptor, many)
		parallel(many, 64, func(i int) {
			m := image{config: "c", subject: subject, annotations: map[string]string{"n": fmt.Sprint(i)}}.make()
			want[i] = referrer(m)
			if err := e.tryPut("a", m); err != nil {
				e.Error(err)
			}
		})
		slices.SortFunc(want, func(a, b oci.Descriptor) int { return compare(a.Digest, b.Digest) })
		e.reopen()
		listing(e, want, func(d oci.Descriptor) string { return string(d.Digest) }, func(after string) iter.Seq2[oci.Descriptor, error] {
			return e.Referrers(e.ctx, "a", subject.Digest, oci.Digest(after))
		})
	}},
	{"Listing/writing meanwhile", func(e *env) { writingMeanwhile(e) }},
	{"Listing/all at once", func(e *env) {
		e.put("a", index(), "v1", "v2")
		e.link("b", "x")
		next, stop := iter.Pull2(e.Tags(e.ctx, "a", ""))
		defer stop()
		name, err, _ := next()
		e.ok(err)
		equal(e, name, "v1")
		equal(e, all(e, e.Repositories(e.ctx, "")), []string{"a", "b"})
		e.put("a", index(), "v3") // a listing at rest blocks nobody
		_, err = e.MountBlob(e.ctx, "c", "b", digest("x"))
		e.ok(err)
	}},
	{"Context", func(e *env) { cancelled(e) }},
	{"Context/nothing stored", func(e *env) {
		ctx, cancel := context.WithCancel(e.ctx)
		cancel()
		failing(e, e.Sessions(ctx), context.Canceled)
		failing(e, e.Users(ctx), context.Canceled)
		failing(e, e.Robots(ctx, ""), context.Canceled)
		failing(e, e.Tokens(ctx, "", ""), context.Canceled)
		failing(e, e.Tokens(ctx, "alice", ""), context.Canceled)
		failing(e, e.Tags(ctx, "a", ""), context.Canceled)
	}},
}

// writingMeanwhile deletes each tag as it is listed, one that is still to come,
// and adds one at either end. Those three may be seen or not; the others are,
// once each.
func writingMeanwhile(e *env) {
	tags := numbered("v", many)
	e.put("a", index(), tags...)
	var got []string
	for name, err := range e.Tags(e.ctx, "a", "") {
		e.ok(err)
		switch name {
		case "v9999", "v0698":
			continue
		case "v0000":
			e.put("a", index(), "v9999", "a-smaller-one")
			e.ok(e.DeleteTag(e.ctx, "a", "v0698"))
		}
		got = append(got, name)
		e.ok(e.DeleteTag(e.ctx, "a", name))
	}
	equal(e, got, slices.Delete(tags, 698, 699))
	equal(e, all(e, e.Tags(e.ctx, "a", "")), []string{"a-smaller-one", "v9999"})
}

func compare(a, b oci.Digest) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// cancelled calls every method with a context that has ended.
func cancelled(e *env) {
	m := e.push("a", image{config: "c"}, "v1")
	e.ok(e.PutSession(e.ctx, session("s", "alice", 1)))
	e.ok(e.AddUser(e.ctx, metadata.User{Name: "alice"}))
	e.ok(e.AddRobot(e.ctx, robot("ci")))
	e.ok(e.AddToken(e.ctx, token("id", "alice"), 10))
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	everyMethod(e, ctx, m, context.Canceled)
	e.reopen()
	e.holds("a", tag("v1"), m)
	equal(e, all(e, e.Tags(e.ctx, "a", "")), []string{"v1"})
	equal(e, all(e, e.Repositories(e.ctx, "")), []string{"a"})
	equal(e, len(all(e, e.Sessions(e.ctx))), 1)
	u, err := e.User(e.ctx, "alice")
	e.ok(err)
	equal(e, u, metadata.User{Name: "alice"})
	equal(e, len(all(e, e.Users(e.ctx))), 1)
	equal(e, all(e, e.Robots(e.ctx, "")), []metadata.Robot{robot("ci")})
	equal(e, all(e, e.Tokens(e.ctx, "", "")), []metadata.Token{token("id", "alice")})
}

// everyMethod expects the same error of every method.
func everyMethod(e *env, ctx context.Context, m *oci.Manifest, want error) {
	e.Helper()
	_, blobErr := e.Blob(ctx, "a", digest("c"))
	_, mountErr := e.MountBlob(ctx, "b", "a", digest("c"))
	_, manifestErr := e.Manifest(ctx, "a", tag("v1"), true)
	_, existsErr := e.Exists(ctx, "a")
	_, sessionErr := e.Session(ctx, "s")
	_, countErr := e.CountSessions(ctx, "alice")
	_, userErr := e.User(ctx, "alice")
	_, robotErr := e.Robot(ctx, "ci")
	_, tokenErr := e.Token(ctx, "id")
	_, dropErr := e.DropUsage(ctx, now, 10)
	for name, err := range map[string]error{
		"Blob": blobErr, "MountBlob": mountErr, "Manifest": manifestErr, "Exists": existsErr,
		"Session": sessionErr, "CountSessions": countErr, "User": userErr, "Robot": robotErr, "Token": tokenErr,
		"DropUsage":        dropErr,
		"AddUsage":         e.AddUsage(ctx, []metadata.Usage{{}}),
		"PutPullLimit":     e.PutPullLimit(ctx, metadata.PullLimit{Key: "user:alice"}),
		"RemovePullLimit":  e.RemovePullLimit(ctx, "user:alice"),
		"ExpirePullLimits": e.ExpirePullLimits(ctx, now),
		"Check":            e.Check(ctx),
		"LinkBlob":         e.LinkBlob(ctx, "b", blob("d"), "s"),
		"UnlinkBlob":       e.UnlinkBlob(ctx, "a", digest("c")),
		"PutManifest":      e.PutManifest(ctx, "a", metadata.PutManifest{Manifest: m, Tags: []string{"v2"}, Now: now}),
		"DeleteManifest":   e.DeleteManifest(ctx, "a", m.Digest),
		"DeleteTag":        e.DeleteTag(ctx, "a", "v1"),
		"PutSession":       e.PutSession(ctx, session("t", "alice", 1)),
		"DeleteSession":    e.DeleteSession(ctx, "s"),
		"AddUser":          e.AddUser(ctx, metadata.User{Name: "bob"}),
		"UpdateUser":       e.UpdateUser(ctx, "alice", func(u *metadata.User) error { u.Admin = true; return nil }),
		"RemoveUser":       e.RemoveUser(ctx, "alice"),
		"AddRobot":         e.AddRobot(ctx, robot("other")),
		"UpdateRobot":      e.UpdateRobot(ctx, "ci", func(r *metadata.Robot) error { r.Disabled = true; return nil }),
		"RemoveRobot":      e.RemoveRobot(ctx, "ci"),
		"AddToken":         e.AddToken(ctx, token("other", "alice"), 10),
		"UpdateToken":      e.UpdateToken(ctx, "id", func(t *metadata.Token) error { t.Used = now; return nil }),
		"RemoveToken":      e.RemoveToken(ctx, "id"),
	} {
		if err == nil {
			e.Errorf("%s: no error", name)
			continue
		}
		e.is(err, want)
	}
	failing(e, e.Linked(ctx, digest("c")), want)
	failing(e, e.Repositories(ctx, ""), want)
	failing(e, e.Tags(ctx, "a", ""), want)
	failing(e, e.Referrers(ctx, "a", m.Digest, ""), want)
	failing(e, e.Sessions(ctx), want)
	failing(e, e.Users(ctx), want)
	failing(e, e.Robots(ctx, ""), want)
	failing(e, e.PullLimits(ctx, ""), want)
	failing(e, e.Usage(ctx, now, now.Add(time.Hour)), want)
	failing(e, e.Tokens(ctx, "", ""), want)
	failing(e, e.Tokens(ctx, "alice", ""), want)
}
