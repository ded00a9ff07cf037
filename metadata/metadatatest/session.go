package metadatatest

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

func session(id, principal string, version int64) metadata.Session {
	return metadata.Session{ID: id, Repo: "a/b", Principal: principal, Started: now, Updated: now, Version: version}
}

var sessionTests = []test{
	{"Session", func(e *env) {
		_, err := e.Session(e.ctx, "s")
		e.absent(err)
		want := metadata.Session{
			ID: "Az09_-", Repo: "a/b", Principal: "user:alice", Algorithm: oci.SHA512, Size: 1 << 40,
			State: storage.State("opaque\x00\xff"), Started: now, Updated: now.Add(time.Hour), Version: 1,
		}
		e.ok(e.PutSession(e.ctx, want))
		plain := session("s", "alice", 1)
		e.ok(e.PutSession(e.ctx, plain))
		e.reopen()
		for _, s := range []metadata.Session{want, plain} {
			got, err := e.Session(e.ctx, s.ID)
			e.ok(err)
			equal(e, got, s)
		}
	}},
	{"Session/ids are no paths", func(e *env) {
		long := strings.Repeat("x", 64)
		e.ok(e.PutSession(e.ctx, session(long, "alice", 1)))
		for _, id := range []string{"", ".", "..", "../berth.db", "a/b", "/etc/passwd", "a.b", "a\x00", "a b", "ä", long + "x"} {
			err := e.PutSession(e.ctx, session(id, "alice", 1))
			e.absent(err)
			_, err = e.Session(e.ctx, id)
			e.absent(err)
			e.absent(e.DeleteSession(e.ctx, id))
		}
		equal(e, len(all(e, e.Sessions(e.ctx))), 1)
	}},
	{"PutSession/compares versions", func(e *env) {
		for _, v := range []int64{0, 2, -1} {
			e.is(e.PutSession(e.ctx, session("s", "alice", v)), metadata.ErrConflict)
		}
		e.ok(e.PutSession(e.ctx, session("s", "alice", 1)))
		e.is(e.PutSession(e.ctx, session("s", "alice", 1)), metadata.ErrConflict)
		next := session("s", "alice", 2)
		next.Size = 7
		e.ok(e.PutSession(e.ctx, next))
		for _, v := range []int64{1, 2, 4} {
			e.is(e.PutSession(e.ctx, session("s", "alice", v)), metadata.ErrConflict)
		}
		e.reopen()
		got, err := e.Session(e.ctx, "s")
		e.ok(err)
		equal(e, got, next)
		e.is(e.PutSession(e.ctx, session("s", "alice", 2)), metadata.ErrConflict)
		e.ok(e.PutSession(e.ctx, session("s", "alice", 3)))
		e.ok(e.DeleteSession(e.ctx, "s"))
		e.is(e.PutSession(e.ctx, session("s", "alice", 4)), metadata.ErrConflict) // it has ended
	}},
	{"PutSession/one of many wins", func(e *env) {
		for v := int64(1); v <= 20; v++ {
			var won atomic.Int64
			parallel(16, 16, func(i int) {
				s := session("s", "alice", v)
				s.Size = int64(i)
				switch err := e.PutSession(e.ctx, s); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, metadata.ErrConflict):
					e.Error(err)
				}
			})
			equal(e, won.Load(), int64(1))
		}
	}},
	{"PutSession/values are copied", func(e *env) {
		s := session("s", "alice", 1)
		s.State = storage.State("state")
		e.ok(e.PutSession(e.ctx, s))
		s.State[0] = 'X'
		got, err := e.Session(e.ctx, "s")
		e.ok(err)
		equal(e, string(got.State), "state")
		got.State[0] = 'X'
		got, err = e.Session(e.ctx, "s")
		e.ok(err)
		equal(e, string(got.State), "state")
	}},
	{"DeleteSession", func(e *env) {
		e.absent(e.DeleteSession(e.ctx, "s"))
		e.ok(e.PutSession(e.ctx, session("s", "alice", 1)))
		e.ok(e.DeleteSession(e.ctx, "s"))
		_, err := e.Session(e.ctx, "s")
		e.absent(err)
		e.reopen()
		_, err = e.Session(e.ctx, "s")
		e.absent(err)
		e.absent(e.DeleteSession(e.ctx, "s"))
	}},
	{"Sessions", func(e *env) {
		equal(e, all(e, e.Sessions(e.ctx)), []metadata.Session{})
		var want []metadata.Session
		for i := range 50 {
			s := session(fmt.Sprintf("s%02d", i), "alice", 1)
			e.ok(e.PutSession(e.ctx, s))
			want = append(want, s)
		}
		e.reopen()
		got := all(e, e.Sessions(e.ctx))
		slices.SortFunc(got, func(a, b metadata.Session) int { return strings.Compare(a.ID, b.ID) })
		equal(e, got, want)
		equal(e, len(first(e, e.Sessions(e.ctx), 3)), 3)
		for s, err := range e.Sessions(e.ctx) { // as a sweep does
			e.ok(err)
			e.ok(e.DeleteSession(e.ctx, s.ID))
		}
		equal(e, all(e, e.Sessions(e.ctx)), []metadata.Session{})
	}},
	{"CountSessions", func(e *env) {
		count := func(want map[string]int) {
			e.Helper()
			got := map[string]int{}
			for name := range want {
				n, err := e.CountSessions(e.ctx, name)
				e.ok(err)
				got[name] = n
			}
			equal(e, got, want)
		}
		count(map[string]int{"alice": 0, "": 0})
		for i, principal := range []string{"alice", "alice", "bob", ""} {
			e.ok(e.PutSession(e.ctx, session(fmt.Sprint(i), principal, 1)))
		}
		e.ok(e.PutSession(e.ctx, session("0", "alice", 2)))
		count(map[string]int{"alice": 2, "bob": 1, "": 1, "carol": 0})
		e.reopen()
		count(map[string]int{"alice": 2, "bob": 1, "": 1, "carol": 0})
		e.ok(e.DeleteSession(e.ctx, "0"))
		e.ok(e.LinkBlob(e.ctx, "a", blob("x"), "2"))
		count(map[string]int{"alice": 1, "bob": 0, "": 1})
	}},
	{"Sessions/whole at any time", func(e *env) {
		e.ok(e.PutSession(e.ctx, session("s", "alice", 1)))
		done := make(chan struct{})
		go func() {
			defer close(done)
			for v := int64(2); v <= 300; v++ {
				s := session("s", "alice", v)
				s.Size, s.State = v, storage.State(strings.Repeat(fmt.Sprintf("%04d", v), 500))
				if err := e.PutSession(e.ctx, s); err != nil {
					e.Error(err)
				}
			}
		}()
		for running := true; running; {
			select {
			case <-done:
				running = false
			default:
			}
			s, err := e.Session(e.ctx, "s")
			e.ok(err)
			if want := strings.Repeat(fmt.Sprintf("%04d", s.Version), 500); s.Version > 1 && (string(s.State) != want || s.Size != s.Version) {
				e.Fatalf("version %d was read in parts", s.Version)
			}
		}
	}},
}

var closeTests = []test{
	{"Check", func(e *env) {
		e.ok(e.Check(e.ctx))
		e.reopen()
		e.ok(e.Check(e.ctx))
	}},
	{"Close", func(e *env) {
		m := e.push("a", image{config: "c"}, "v1")
		e.ok(e.PutSession(e.ctx, session("s", "alice", 1)))
		e.ok(e.Close())
		e.ok(e.Close()) // again is harmless
		everyMethod(e, e.ctx, m, fs.ErrClosed)
		e.start()
		e.holds("a", tag("v1"), m)
		equal(e, len(all(e, e.Sessions(e.ctx))), 1)
	}},
}
