package durability

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berth-registry/berth/e2e/internal/berth"
)

// kind is a kind of request: what it promises, and how often it syncs. The
// number stands here a second time so that it cannot grow unseen.
type kind struct {
	name  string
	syncs int
	promise
}

// kinds of requests, in the order in which the test makes them.
var kinds = []kind{
	{"PUT of the rest, after a restart", 5, promised(201, bytesKept, published, visible, over)},
	{"POST of a session", 0, promised(202, opened)},
	{"PATCH", 1, promised(202, bytesKept, opened)},
	{"PUT after PATCH", 4, promised(201, published, visible, over)},
	{"POST of a session", 0, promised(202, opened)},
	{"PUT of everything", 5, promised(201, bytesKept, published, visible, over)},
	{"POST of a whole blob", 5, promised(201, bytesKept, published, visible)},
	{"POST of a whole blob in a new prefix", 6, promised(201, bytesKept, publishedIn, visible)},
	{"POST of a blob that another repository has", 4, promised(201, []step{written, named}, visible)},
	{"POST of a session", 0, promised(202, opened)},
	{"PATCH", 1, promised(202, bytesKept, opened)},
	{"PATCH", 1, promised(202, bytesKept, opened)},
	{"PUT after PATCH", 4, promised(201, published, visible, over)},
	{"mount", 2, promised(201, visible)},
	{"PUT of a manifest with tags", 3, promise{promised(201, visible).steps, asCopy}},
	{"PUT of a tag", 2, promise{promised(201, visible).steps, []step{written}}},
	{"POST of a blob that a copy has stored", 5, promised(201, []step{written, namedNew}, visible)},
	{"DELETE of a tag", 2, promised(202, visible)},
	{"DELETE of a manifest", 2, promised(202, visible)},
	{"POST of a session", 0, promised(202, opened)},
	{"DELETE of a session", 0, promised(204, over)},
	{"DELETE of a blob", 2, promised(202, visible)},
}

// pusher makes requests one after the other under the eyes of a tracer.
type pusher struct {
	t    *testing.T
	c    *berth.Client
	made []string // request lines
}

func (p *pusher) do(want int, method, path, media string, body []byte) (location string) {
	p.t.Helper()
	p.made = append(p.made, method+" "+path)
	a, err := p.c.Do(method, path, media, body)
	must(p.t, err)
	if a.Status != want {
		p.t.Fatalf("%s %s: %d, want %d: %s", method, path, a.Status, want, a.Body)
	}
	return a.Location
}

// TestSystemCalls reads the system calls of the running server during a push
// of every kind and holds them against what each answer promises. Then it
// takes calls away and moves them, to see that this is noticed.
func TestSystemCalls(t *testing.T) {
	s := berth.New(t)
	s.Start(t)
	s.Login(t, scopes...)
	p := &pusher{t: t, c: s.Client()}
	p.c.Alone = true // so that a request begins where it is read
	var layers [6][]byte
	for n := range layers {
		layers[n] = inPrefix("5a", func(i uint64) []byte { return content(150_000, uint64(n)<<16|i) })
	}
	// The first push makes what all have in common, and one of a new prefix
	// must not find it.
	p.do(201, "POST", blobs(other, "uploads/?digest="+berth.Digest(layers[0])), octets, layers[0])
	location := p.do(202, "POST", blobs(repo, "uploads/"), "", nil)
	p.do(202, "PATCH", location, octets, layers[1][:100_000])
	s.Stop(t)
	s.Start(t)
	tr := trace(t, s.Pid(), "-e", "trace="+changing)
	at := layoutOf(s)
	p.made = nil

	p.do(201, "PUT", location+"?digest="+berth.Digest(layers[1]), octets, layers[1][100_000:])
	location = p.do(202, "POST", blobs(repo, "uploads/"), "", nil)
	p.do(202, "PATCH", location, octets, layers[2])
	p.do(201, "PUT", location+"?digest="+berth.Digest(layers[2]), "", nil)
	location = p.do(202, "POST", blobs(repo, "uploads/"), "", nil)
	p.do(201, "PUT", location+"?digest="+berth.Digest(layers[3]), octets, layers[3])
	p.do(201, "POST", blobs(repo, "uploads/?digest="+berth.Digest(layers[4])), octets, layers[4])
	elsewhere := inPrefix("a5", func(i uint64) []byte { return content(5000, i) })
	p.do(201, "POST", blobs(repo, "uploads/?digest="+berth.Digest(elsewhere)), octets, elsewhere)
	p.do(201, "POST", blobs(repo, "uploads/?digest="+berth.Digest(layers[0])), octets, layers[0])
	location = p.do(202, "POST", blobs(repo, "uploads/"), "", nil)
	p.do(202, "PATCH", location, octets, layers[5][:100_000])
	p.do(202, "PATCH", location, octets, layers[5][100_000:])
	p.do(201, "PUT", location+"?digest="+berth.Digest(layers[5]), "", nil)
	p.do(201, "POST", blobs(other, "uploads/?mount="+berth.Digest(layers[1])+"&from="+repo), "", nil)

	p.manifest(tr, at, inPrefix("6b", func(i uint64) []byte { return image(fmt.Sprint(i), layers[1], layers[2]) }))
	location = p.do(202, "POST", blobs(repo, "uploads/"), "", nil)
	p.do(204, "DELETE", location, "", nil)
	p.do(202, "DELETE", blobs(repo, berth.Digest(layers[3])), "", nil)
	until(t, "the last answer", func() bool { return answers(tr.calls(at)) == len(p.made) })
	tr.stop()
	p.judge(cut(tr.calls(at)))
	s.Judge(t)
}

// manifest pushes a manifest of a prefix that no blob has, and its bytes as a
// blob too: nobody waited for the names of the copy, so now somebody must.
func (p *pusher) manifest(tr *tracer, at layout, m []byte) {
	p.t.Helper()
	for _, tags := range []string{"one?tag=two", "three"} {
		p.do(201, "PUT", manifests(repo, tags), imageType, m)
		p.waitForCopy(tr, at)
	}
	p.do(201, "POST", blobs(repo, "uploads/?digest="+berth.Digest(m)), octets, m)
	p.do(202, "DELETE", manifests(repo, "two"), "", nil)
	p.do(202, "DELETE", manifests(repo, berth.Digest(m)), "", nil)
}

// answers counts them: a client may have one before strace has written it down.
func answers(calls []call) (n int) {
	for _, c := range calls {
		if strings.HasPrefix(c.label, "answer ") {
			n++
		}
	}
	return n
}

// waitForCopy waits for what comes after the answer of the last request, for a
// while: judge says what has not come.
func (p *pusher) waitForCopy(tr *tracer, at layout) {
	k := kinds[len(p.made)-1]
	waits(func() bool {
		all := cut(tr.calls(at))
		return len(all) == len(p.made) && k.copied(all[len(all)-1].calls) == nil
	})
}

func (p *pusher) judge(requests []request) {
	t := p.t
	t.Helper()
	if len(requests) != len(kinds) || len(requests) != len(p.made) {
		t.Fatalf("%d requests were traced, %d were made, want %d", len(requests), len(p.made), len(kinds))
	}
	mutants := 0
	for i, k := range kinds {
		r := requests[i]
		t.Run(strings.ReplaceAll(k.name, " ", "_"), func(t *testing.T) {
			if !strings.HasPrefix(p.made[i], r.line) && !strings.HasPrefix(r.line, p.made[i]) {
				t.Fatalf("%s was traced, %s was made", r.line, p.made[i])
			}
			if err := k.kept(r.calls); err != nil {
				t.Fatalf("%s: %v\n%v", r.line, err, r.calls)
			}
			syncs := 0
			for _, c := range r.calls {
				if isSync(c) {
					syncs++
				}
			}
			if syncs != k.syncs {
				t.Errorf("%s: %d syncs, want %d", r.line, syncs, k.syncs)
			}
			mutants += mutate(t, k.promise, r.calls)
		})
	}
	if !t.Failed() {
		fmt.Printf("system calls: %d requests kept their promise; %d changes to what they did were all noticed\n", len(requests), mutants)
	}
}
