package e2e

import (
	"cmp"
	"encoding/json"
	"strings"
	"testing"
)

// session is one use of a client by one user, with credentials and a store of its own that are empty at first.
type session interface {
	// login signs in. A client without such a command keeps u for later and answers with a zero result.
	login(t *testing.T, u user) result
	// adopt gives the client a refresh token of u, as `docker login` keeps one.
	adopt(t *testing.T, u user, identity string)
	// prepare makes what push is to store under ref, and returns a text that is found in it and nowhere else.
	prepare(t *testing.T, ref string) (text string)
	push(t *testing.T, ref string) result
	// pull gets ref into a store that does not hold it.
	pull(t *testing.T, ref string) result
	// look returns what pull brought: its digest as the client tells it, and the text inside.
	look(t *testing.T, ref string) (digest, text string)
}

// remover is a session whose client can delete from a registry.
type remover interface {
	remove(t *testing.T, ref string) result
}

// client is a program, or a pair of a program and its daemon, that does what the table in docs/clients.md says.
type client struct {
	name, version string
	credentials   string // how they get to a client that has no command to log in
	token         string // method by which it asks for tokens; "" is GET
	deletes       string // what a deletion takes away: "tag", or "manifest" with all its tags
	open          func(t *testing.T, s *server) session
}

const (
	walkRepository   = "alice/app"
	absentRepository = "alice/absent"
	walkTag          = "1.0.0"
	refusedTag       = "2.0.0"
)

// walk takes a client through everything, and holds what its user saw against the documentation.
func (c client) walk(t *testing.T) {
	t.Run("password", c.walkPassword)
	t.Run("credentials", c.walkCredentials)

}

// walkPassword is what users with a password do, on a server of its own.
func (c client) walkPassword(t *testing.T) {
	s := startServer(t)
	alice, bob := s.addUser(t, "alice"), s.addUser(t, "bob")
	r := row{client: c.name, version: c.version, push: "yes", pull: "yes"}

	own := c.signIn(t, s, alice)
	text := c.walkPush(t, s, alice, own)
	c.walkPull(t, s, alice, text)
	c.walkNobody(t, s)
	r.login, r.wrong = c.walkWrong(t, s, user{alice.name, "wrong-password"})
	r.refused = c.walkRefused(t, s, bob)
	r.delete = c.walkDelete(t, s, own)
	if !t.Failed() {
		r.check(t)
	}
}

// signIn returns a new session of u.
func (c client) signIn(t *testing.T, s *server, u user) session {
	t.Helper()
	one := c.open(t, s)
	one.login(t, u).succeeds(t)
	return one
}

// walkPush pushes twice: the second time the server has it all.
func (c client) walkPush(t *testing.T, s *server, alice user, own session) (text string) {
	ref := s.ref(walkRepository + ":" + walkTag)
	text = own.prepare(t, ref)
	mark := s.mark(t)
	own.push(t, ref).succeeds(t)
	push := s.since(t, mark)
	push.wantSome(t, cmp.Or(c.token, "GET"), "^/token$", 200)
	push.want(t, 0, "GET|POST", "^/token$", 401)
	push.wantSome(t, "PUT|POST", "/blobs/uploads/", 201)
	push.want(t, 1, "PUT", "/manifests/"+walkTag+"$", 201)
	push.wrote().by(t, "user:alice")
	digest := s.digest(t, alice, walkRepository, walkTag)
	mark = s.mark(t)
	own.push(t, ref).succeeds(t)
	s.since(t, mark).want(t, 0, "POST|PATCH|PUT", "/blobs/")
	equal(t, "digest after pushing again", s.digest(t, alice, walkRepository, walkTag), digest)
	return text
}

// walkPull gets it back where nothing of it is.
func (c client) walkPull(t *testing.T, s *server, alice user, text string) {
	pulls(t, s, c.signIn(t, s, alice), walkRepository, "user:alice", text)
}

// walkNobody pulls without credentials what nobody else may see, and learns no more than of what does not exist.
func (c client) walkNobody(t *testing.T, s *server) {
	mark := s.mark(t)
	private := c.open(t, s).pull(t, s.ref(walkRepository+":"+walkTag))
	absent := c.open(t, s).pull(t, s.ref(absentRepository+":"+walkTag))
	private.fails(t)
	absent.fails(t)
	asked := s.since(t, mark)
	asked.wantSome(t, "GET|HEAD", "^/v2/"+walkRepository+"/", 401)
	asked.wantSome(t, "GET|HEAD", "^/v2/"+absentRepository+"/", 401)
	asked.revealNothing(t)
	equal(t, "what is read of a private repository", s.seen(private), strings.ReplaceAll(s.seen(absent), "absent", "app"))
}

// walkWrong tries a wrong password. Some clients keep it unseen, and only the pull shows what comes of it.
func (c client) walkWrong(t *testing.T, s *server, u user) (login, seen string) {
	login = cmp.Or(c.credentials, "yes")
	one := c.open(t, s)
	mark := s.mark(t)
	res := one.login(t, u)
	if res.code == 0 {
		login = cmp.Or(c.credentials, "not checked before use")
		res = one.pull(t, s.ref(walkRepository+":"+walkTag))
	}
	res.fails(t)
	refused := s.since(t, mark)
	refused.wantSome(t, "GET|POST", "^/token$", 401)
	refused.want(t, 0, "GET", "^/v2/$", 200)
	refused.revealNothing(t)
	return login, s.seen(res)
}

// walkRefused pushes where the user may not.
func (c client) walkRefused(t *testing.T, s *server, bob user) (seen string) {
	ref := s.ref(walkRepository + ":" + refusedTag)
	other := c.signIn(t, s, bob)
	other.prepare(t, ref)
	mark := s.mark(t)
	res := other.push(t, ref)
	res.fails(t)
	refused := s.since(t, mark)
	refused.wantSome(t, "HEAD|POST", "^/v2/"+walkRepository+"/", 401)
	refused.revealNothing(t)
	equal(t, "writes by bob", len(refused.wrote()), 0)
	s.gone(t, admin, walkRepository, "/manifests/"+refusedTag)
	return s.seen(res)
}

// walkDelete deletes by tag, and looks at what that took away.
func (c client) walkDelete(t *testing.T, s *server, own session) (what string) {
	deleting, can := own.(remover)
	if !can {
		return "no command"
	}
	digest := s.digest(t, admin, walkRepository, walkTag)
	deleting.remove(t, s.ref(walkRepository+":"+walkTag)).succeeds(t)
	s.gone(t, admin, walkRepository, "/manifests/"+walkTag)
	if c.deletes == "manifest" {
		s.gone(t, admin, walkRepository, "/manifests/"+digest)
	} else {
		s.call(t, admin, "HEAD", walkRepository, "/v2/"+walkRepository+"/manifests/"+digest, blob{}, 200)
	}
	return c.deletes
}

// revealNothing fails if any answer tells what there is below /v2/alice, or that it is not there.
func (rs requests) revealNothing(t *testing.T) {
	t.Helper()
	for _, r := range rs {
		if strings.HasPrefix(r.Path, "/v2/alice") && (r.Status < 400 || r.Status == 404) {
			t.Errorf("tells what exists: %v", r)
		}
	}
}

// layers returns the digests of a manifest's layers.
func layers(t *testing.T, manifest blob) (digests []string) {
	t.Helper()
	var doc struct{ Layers []struct{ Digest string } }
	must(t, json.Unmarshal(manifest.data, &doc))
	for _, layer := range doc.Layers {
		digests = append(digests, layer.Digest)
	}
	if digests == nil {
		t.Fatalf("no layers in %s", manifest.data)
	}
	return digests
}
