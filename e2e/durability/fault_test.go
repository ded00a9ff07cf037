package durability

import (
	"strings"
	"testing"

	"github.com/berth-registry/berth/e2e/internal/berth"
)

// fault is a system call that fails for as long as strace has hold of the
// server.
type fault struct {
	name    string
	inject  string
	only    string // calls on this file of the metadata: DB and this suffix
	writes  []string
	answer  failure
	ready   string // what /readyz says of the metadata afterwards
	restart bool   // is what it takes to heal
}

const (
	anywhere = "anywhere"
	database = ""
	sessions = ".sessions"
)

var faults = []fault{
	{"bytes cannot be synced", "fdatasync:error=EIO", anywhere, []string{"PATCH", "POST"}, unknown, "ok", false},
	{"directories cannot be synced", "fsync:error=EIO", anywhere, []string{"POST"}, unknown, "ok", false},
	{"bytes cannot be renamed", "?renameat,renameat2:error=EIO", anywhere, []string{"POST"}, unknown, "ok", false},
	{"sessions cannot be written", "pwrite64:error=EIO", sessions, []string{"session", "PATCH"}, unknown, "ok", false},
	{"the database is read-only", "pwrite64:error=EROFS", database, []string{"POST", "manifest", "tag"}, unavailable, "ok", false},
	{"the database cannot be written", "pwrite64:error=EIO", database, []string{"POST", "manifest", "tag"}, unavailable, "failed", true},
	{"the database cannot be synced", "fdatasync:error=EIO", database, []string{"manifest", "POST", "tag"}, unavailable, "failed", true},
}

// TestFault lets system calls fail: nothing is promised then, nothing of it is
// seen, and reads go on. What disk and memory may disagree about since is
// written again only after a restart, and /readyz says so.
func TestFault(t *testing.T) {
	r := newRegistry(t, mkdir(t))
	for i, f := range faults {
		t.Run(f.name, func(t *testing.T) { r.suffer(t, f, content(20_000, uint64(100+i))) })
	}
	r.Judge(t)
}

func (r *registry) suffer(t *testing.T, f fault, body []byte) {
	location := r.session(t, body[:5000])
	doc := image(f.name, r.config)
	r.want(t, 201, "PUT", manifests(repo, "moves"), imageType, r.image)
	writes := map[string]func() berth.Answer{
		"session": func() berth.Answer { return r.do(t, "POST", blobs(repo, "uploads/"), "", nil) },
		"PATCH":   func() berth.Answer { return r.do(t, "PATCH", location, octets, body[5000:]) },
		"POST": func() berth.Answer {
			return r.do(t, "POST", blobs(repo, "uploads/?digest="+berth.Digest(body)), octets, body)
		},
		"manifest": func() berth.Answer { return r.do(t, "PUT", manifests(repo, "moves"), imageType, doc) },
		"tag":      func() berth.Answer { return r.do(t, "DELETE", manifests(repo, "moves"), "", nil) },
	}
	name, _, _ := strings.Cut(f.inject, ":")
	options := []string{"-e", "trace=" + name, "-e", "inject=" + f.inject}
	if f.only != anywhere {
		options = append(options, "-P", r.DB+f.only)
	}
	tr := trace(t, r.Pid(), options...)
	refused := func() {
		t.Helper()
		for _, name := range f.writes {
			f.answer.check(t, name, writes[name]())
		}
		r.absent(t, blobs(repo, berth.Digest(body)))
		r.absent(t, manifests(repo, berth.Digest(doc)))
		r.present(t, manifests(repo, "moves"), r.image)
		r.stands(t, location, 5000)
		r.readable(t, false)
	}
	refused()
	tr.stop()
	r.checks(t, "ok", f.ready)
	if f.restart {
		refused() // the cause is gone, the doubt is not
		r.Stop(t)
		r.start(t)
	}
	r.checks(t, "ok", "ok")
	r.want(t, 202, "PATCH", location, octets, body[5000:])
	r.want(t, 201, "PUT", location+"?digest="+berth.Digest(body), "", nil)
	r.present(t, blobs(repo, berth.Digest(body)), body)
	r.want(t, 201, "PUT", manifests(repo, "moves"), imageType, doc)
	r.present(t, manifests(repo, "moves"), doc)
}
