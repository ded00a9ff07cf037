package metadatatest

import (
	"errors"
	"fmt"
	"iter"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/berth-registry/berth/metadata"
)

// text is text as names have it: with signs that lists, paths and queries use.
const text = "Größe '\"%_\\;,:$/ \t\u2028"

func token(id, owner string) metadata.Token {
	return metadata.Token{ID: id, Owner: owner, Name: "n" + id, Secret: []byte{0, 1, 0xff}, Created: now}
}

func robot(name string) metadata.Robot {
	return metadata.Robot{Name: name, Secret: []byte{0, 1, 0xff}, Created: now}
}

var userTests = []test{
	{"User", func(e *env) {
		_, err := e.User(e.ctx, "alice")
		e.absent(err)
		want := metadata.User{Name: "alice", Bcrypt: "$2a$10$x", Groups: []string{"dev", "ops"}, Admin: true,
			Provider: "https://id.example.org", Subject: text, Created: now, Changed: now.Add(time.Second)}
		e.ok(e.AddUser(e.ctx, want))
		e.is(e.AddUser(e.ctx, metadata.User{Name: "alice"}), metadata.ErrExists)
		e.reopen()
		got, err := e.User(e.ctx, "alice")
		e.ok(err)
		equal(e, got, want)
		got.Groups[0] = "changed"
		got, err = e.User(e.ctx, "alice")
		e.ok(err)
		equal(e, got, want)
		_, err = e.User(e.ctx, "")
		e.absent(err)
	}},
	{"UpdateUser", func(e *env) {
		admin := func(u *metadata.User) error { u.Admin = true; return nil }
		e.absent(e.UpdateUser(e.ctx, "alice", admin))
		e.ok(e.AddUser(e.ctx, metadata.User{Name: "alice", Created: now, Changed: now}))
		e.ok(e.UpdateUser(e.ctx, "alice", admin))
		e.reopen()
		got, err := e.User(e.ctx, "alice")
		e.ok(err)
		want := metadata.User{Name: "alice", Admin: true, Created: now, Changed: now}
		equal(e, got, want)
		refusal := errors.New("no")
		err = e.UpdateUser(e.ctx, "alice", func(u *metadata.User) error { u.Admin = false; return refusal })
		if err != refusal { //nolint:errorlint // "returned as it is"
			e.Fatalf("error is %v, want the function's", err)
		}
		got, err = e.User(e.ctx, "alice")
		e.ok(err)
		equal(e, got, want)
	}},
	{"UpdateUser/loses nothing", func(e *env) {
		e.ok(e.AddUser(e.ctx, metadata.User{Name: "alice"}))
		parallel(200, 32, func(i int) {
			err := e.UpdateUser(e.ctx, "alice", func(u *metadata.User) error {
				u.Groups = append(u.Groups, fmt.Sprint(i))
				return nil
			})
			if err != nil {
				e.Error(err)
			}
		})
		e.reopen()
		u, err := e.User(e.ctx, "alice")
		e.ok(err)
		equal(e, len(set(u.Groups)), 200)
	}},
	{"AddUser/one of many wins", func(e *env) {
		var won atomic.Int64
		parallel(32, 32, func(i int) {
			switch err := e.AddUser(e.ctx, metadata.User{Name: "alice", Bcrypt: fmt.Sprint(i)}); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, metadata.ErrExists):
				e.Error(err)
			}
		})
		equal(e, won.Load(), int64(1))
	}},
	{"RemoveUser", func(e *env) {
		e.absent(e.RemoveUser(e.ctx, "alice"))
		e.ok(e.AddUser(e.ctx, metadata.User{Name: "alice"}))
		e.ok(e.AddUser(e.ctx, metadata.User{Name: "alice2"}))
		e.ok(e.RemoveUser(e.ctx, "alice"))
		e.reopen()
		_, err := e.User(e.ctx, "alice")
		e.absent(err)
		_, err = e.User(e.ctx, "alice2")
		e.ok(err)
		e.absent(e.RemoveUser(e.ctx, "alice"))
		e.ok(e.AddUser(e.ctx, metadata.User{Name: "alice"}))
	}},
	{"RemoveUser/with its tokens", func(e *env) {
		for i, owner := range []string{"alice", "alice", "alice2", "ali"} {
			e.ok(e.AddToken(e.ctx, token(fmt.Sprint("id", i), owner), 10))
		}
		e.absent(e.RemoveUser(e.ctx, "alice")) // who is not stored keeps them
		equal(e, len(all(e, e.Tokens(e.ctx, "alice", ""))), 2)
		e.ok(e.AddUser(e.ctx, metadata.User{Name: "alice"})) // another of the name
		equal(e, all(e, e.Tokens(e.ctx, "alice", "")), []metadata.Token{})
		e.ok(e.AddToken(e.ctx, token("id0", "alice"), 10))
		e.ok(e.RemoveUser(e.ctx, "alice"))
		e.reopen()
		equal(e, all(e, e.Tokens(e.ctx, "", "")), []metadata.Token{token("id2", "alice2"), token("id3", "ali")})
		_, err := e.Token(e.ctx, "id0")
		e.absent(err)
		e.ok(e.AddUser(e.ctx, metadata.User{Name: "alice"}))
		equal(e, all(e, e.Tokens(e.ctx, "alice", "")), []metadata.Token{})
	}},
	{"Users", func(e *env) {
		equal(e, all(e, e.Users(e.ctx)), []metadata.User{})
		names := []string{"a", "a-b", "a.b", "a_b", "ab", "b"}
		for _, i := range []int{3, 0, 5, 1, 4, 2} {
			e.ok(e.AddUser(e.ctx, metadata.User{Name: names[i], Admin: i == 3}))
		}
		e.reopen()
		users := all(e, e.Users(e.ctx))
		for i, u := range users {
			if !reflect.DeepEqual(u, metadata.User{Name: names[i], Admin: i == 3}) {
				e.Fatalf("user %d is %+v", i, u)
			}
		}
		equal(e, len(users), len(names))
		equal(e, len(first(e, e.Users(e.ctx), 2)), 2)
	}},
}

var robotTests = []test{
	{"Robot", func(e *env) {
		_, err := e.Robot(e.ctx, "ci")
		e.absent(err)
		want := metadata.Robot{
			Name: "ci", Secret: []byte{0, 1, 0xff}, Rules: []string{"team/**:pull,push", text},
			Created: now, Expires: now.Add(time.Hour), Disabled: true, Used: now.Add(time.Second),
		}
		e.ok(e.AddRobot(e.ctx, want))
		e.is(e.AddRobot(e.ctx, robot("ci")), metadata.ErrExists)
		if e.AddRobot(e.ctx, robot("")) == nil {
			e.Error("a robot without a name")
		}
		e.reopen()
		got, err := e.Robot(e.ctx, "ci")
		e.ok(err)
		equal(e, got, want)
		_, err = e.Robot(e.ctx, "")
		e.absent(err)
	}},
	{"UpdateRobot", func(e *env) {
		disable := func(r *metadata.Robot) error { r.Disabled = true; return nil }
		e.absent(e.UpdateRobot(e.ctx, "ci", disable))
		e.ok(e.AddRobot(e.ctx, robot("ci")))
		e.ok(e.UpdateRobot(e.ctx, "ci", disable))
		e.reopen()
		want := robot("ci")
		want.Disabled = true
		got, err := e.Robot(e.ctx, "ci")
		e.ok(err)
		equal(e, got, want)
		refusal := errors.New("no")
		e.is(e.UpdateRobot(e.ctx, "ci", func(r *metadata.Robot) error { r.Secret = nil; return refusal }), refusal)
		if e.UpdateRobot(e.ctx, "ci", func(r *metadata.Robot) error { r.Name = "other"; return nil }) == nil {
			e.Error("the name was changed")
		}
		got, err = e.Robot(e.ctx, "ci")
		e.ok(err)
		equal(e, got, want)
	}},
	{"RemoveRobot", func(e *env) {
		e.absent(e.RemoveRobot(e.ctx, "ci"))
		e.ok(e.AddRobot(e.ctx, robot("ci")))
		e.ok(e.AddRobot(e.ctx, robot("ci2")))
		e.ok(e.RemoveRobot(e.ctx, "ci"))
		e.reopen()
		_, err := e.Robot(e.ctx, "ci")
		e.absent(err)
		_, err = e.Robot(e.ctx, "ci2")
		e.ok(err)
	}},
	{"Robots", func(e *env) {
		equal(e, all(e, e.Robots(e.ctx, "")), []metadata.Robot{})
		var want []metadata.Robot
		for _, name := range numbered("r", many) {
			want = append(want, robot(name))
		}
		parallel(many, 64, func(i int) {
			if err := e.AddRobot(e.ctx, want[i]); err != nil {
				e.Error(err)
			}
		})
		e.reopen()
		listing(e, want, func(r metadata.Robot) string { return r.Name }, func(after string) iter.Seq2[metadata.Robot, error] {
			return e.Robots(e.ctx, after)
		})
	}},
}

var tokenTests = []test{
	{"Token", func(e *env) {
		_, err := e.Token(e.ctx, "id")
		e.absent(err)
		want := metadata.Token{
			ID: "id", Owner: "alice", Name: text, Secret: []byte{0, 1, 0xff}, Narrowed: true, Rules: []string{"a:pull"},
			Created: now, Expires: now.Add(time.Hour), Used: now.Add(time.Second),
		}
		e.ok(e.AddToken(e.ctx, want, 10))
		e.reopen()
		got, err := e.Token(e.ctx, "id")
		e.ok(err)
		equal(e, got, want)
		_, err = e.Token(e.ctx, "")
		e.absent(err)
	}},
	{"AddToken", func(e *env) {
		e.ok(e.AddToken(e.ctx, token("1", "alice"), 2))
		e.is(e.AddToken(e.ctx, token("1", "bob"), 2), metadata.ErrExists)
		again := token("2", "alice")
		again.Name = "n1"
		e.is(e.AddToken(e.ctx, again, 2), metadata.ErrExists)
		again.Owner = "bob" // whose tokens have names of their own
		e.ok(e.AddToken(e.ctx, again, 2))
		e.ok(e.AddToken(e.ctx, token("3", "alice"), 2))
		e.is(e.AddToken(e.ctx, token("4", "alice"), 2), metadata.ErrTooMany)
		e.ok(e.AddToken(e.ctx, token("4", "alice"), 3))
		if e.AddToken(e.ctx, token("", "alice"), 10) == nil {
			e.Error("a token without an id")
		}
		equal(e, len(all(e, e.Tokens(e.ctx, "", ""))), 4)
	}},
	{"AddToken/no more than most", func(e *env) {
		var won atomic.Int64
		parallel(32, 32, func(i int) {
			switch err := e.AddToken(e.ctx, token(fmt.Sprint(i), "alice"), 5); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, metadata.ErrTooMany):
				e.Error(err)
			}
		})
		equal(e, won.Load(), int64(5))
		equal(e, len(all(e, e.Tokens(e.ctx, "alice", ""))), 5)
	}},
	{"UpdateToken", func(e *env) {
		used := func(t *metadata.Token) error { t.Used = now; return nil }
		e.absent(e.UpdateToken(e.ctx, "1", used))
		e.ok(e.AddToken(e.ctx, token("1", "alice"), 2))
		e.ok(e.UpdateToken(e.ctx, "1", used))
		for name, change := range map[string]func(t *metadata.Token) error{
			"id":    func(t *metadata.Token) error { t.ID = "2"; return nil },
			"owner": func(t *metadata.Token) error { t.Owner = "bob"; return nil },
			"name":  func(t *metadata.Token) error { t.Name = "other"; return nil },
			"error": func(t *metadata.Token) error { t.Secret = nil; return errors.New("no") },
		} {
			if e.UpdateToken(e.ctx, "1", change) == nil {
				e.Errorf("the %s was changed", name)
			}
		}
		e.reopen()
		want := token("1", "alice")
		want.Used = now
		equal(e, all(e, e.Tokens(e.ctx, "alice", "")), []metadata.Token{want})
	}},
	{"RemoveToken", func(e *env) {
		e.absent(e.RemoveToken(e.ctx, "1"))
		e.ok(e.AddToken(e.ctx, token("1", "alice"), 2))
		e.ok(e.AddToken(e.ctx, token("11", "alice"), 2))
		e.ok(e.RemoveToken(e.ctx, "1"))
		e.reopen()
		equal(e, all(e, e.Tokens(e.ctx, "alice", "")), []metadata.Token{token("11", "alice")})
		e.absent(e.RemoveToken(e.ctx, "1"))
		e.ok(e.AddToken(e.ctx, token("1", "bob"), 2))
	}},
	{"Tokens", func(e *env) {
		equal(e, all(e, e.Tokens(e.ctx, "", "")), []metadata.Token{})
		var whole, own []metadata.Token
		for i, id := range numbered("t", many) {
			owner := "alice"
			if i%3 == 0 {
				owner = "alice2"
			}
			whole = append(whole, token(id, owner))
			if owner == "alice" {
				own = append(own, token(id, owner))
			}
		}
		parallel(many, 64, func(i int) {
			if err := e.AddToken(e.ctx, whole[i], many); err != nil {
				e.Error(err)
			}
		})
		e.reopen()
		id := func(t metadata.Token) string { return t.ID }
		listing(e, whole, id, func(after string) iter.Seq2[metadata.Token, error] { return e.Tokens(e.ctx, "", after) })
		listing(e, own, id, func(after string) iter.Seq2[metadata.Token, error] { return e.Tokens(e.ctx, "alice", after) })
		equal(e, all(e, e.Tokens(e.ctx, "al", "")), []metadata.Token{})
	}},
	{"Tokens/removed meanwhile", func(e *env) {
		for i := range 300 {
			e.ok(e.AddToken(e.ctx, token(fmt.Sprintf("%03d", i), "alice"), many))
		}
		var seen []string // of those that stay: the others may be seen or not
		for t, err := range e.Tokens(e.ctx, "alice", "") {
			e.ok(err)
			var i int
			_, err = fmt.Sscanf(t.ID, "%d", &i)
			e.ok(err)
			if i%2 == 0 {
				seen = append(seen, t.ID)
				e.ok(e.RemoveToken(e.ctx, fmt.Sprintf("%03d", i+1)))
			}
		}
		equal(e, len(seen), 150)
		equal(e, len(all(e, e.Tokens(e.ctx, "alice", ""))), 150)
	}},
}
