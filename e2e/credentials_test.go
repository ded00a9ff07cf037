package e2e

import (
	"os"
	"strings"
	"testing"
)

const (
	publicRepository = "public/app"
	robotTag         = "3.0.0"
	changedReason    = "the refresh token is refused: the password has changed"
	offReason        = "refresh tokens are switched off"
)

// walkCredentials takes a client through every kind of credentials, on a server of its own that has refresh tokens until
// they are switched off, and holds what its user saw against the documentation.
func (c client) walkCredentials(t *testing.T) {
	s := newServer(t, "  refresh_tokens: true\n")
	s.start(t)
	alice := s.addUser(t, "alice")
	r := credentialRow{client: c.name, robot: "push, pull", narrowed: "pull", identity: "pull", anonymous: "pull"}
	refused := refusalRow{client: c.name}

	own := c.signIn(t, s, alice)
	r.refreshed = kept(t, own)
	text := c.walkOwn(t, s, alice, own)
	c.walkIdentity(t, s, alice, text)
	if r.refreshed == keptIdentity {
		r.identity = "push, pull" // by walkOwn
	}
	refused.narrowed = c.walkNarrowed(t, s, alice, text)
	refused.revoked = c.walkRobot(t, s, text)
	c.walkAnonymous(t, s)
	equal(t, "message of a revoked token", c.walkRevoked(t, s, alice, own), strings.ReplaceAll(refused.revoked, robotTag, walkTag))
	alice, refused.changed = c.walkChanged(t, s, alice, own)
	keeps, off := c.walkOff(t, s, alice, own)
	equal(t, "message where refresh tokens are off", off, strings.Replace(refused.changed, changedReason, offReason, 1))
	r.keeps = keeps
	if !t.Failed() {
		credentials.check(t, c.name, c.version, r.String())
		refusals.check(t, c.name, c.version, refused.String())
	}
}

// walkOwn is what alice does after a login that may have left a refresh token.
func (c client) walkOwn(t *testing.T, s *server, alice user, own session) (text string) {
	if kept(t, own) == keptIdentity {
		c.token = "POST"
	}
	text = c.walkPush(t, s, alice, own)
	c.walkPull(t, s, alice, text)
	return text
}

// walkIdentity pulls with what `docker login` keeps, which is all that the client has.
func (c client) walkIdentity(t *testing.T, s *server, alice user, text string) {
	one := c.adopts(t, s, alice, s.refreshToken(t, alice))
	mark := s.mark(t)
	pulls(t, s, one, walkRepository, "user:alice", text)
	s.since(t, mark).wantSome(t, "POST", "^/token$", 200)
}

// adopts returns a new session that has a refresh token of u and nothing else.
func (c client) adopts(t *testing.T, s *server, u user, identity string) session {
	t.Helper()
	one := c.open(t, s)
	one.adopt(t, u, identity)
	return one
}

// walkNarrowed pulls and pushes with a token of alice for pulls.
func (c client) walkNarrowed(t *testing.T, s *server, alice user, text string) (refused string) {
	token, _ := s.addToken(t, alice, "pulls", "--grant", "alice/**:pull")
	one := c.signIn(t, s, token)
	keepsSecret(t, one)
	pulls(t, s, one, walkRepository, "user:alice", text)
	ref := s.ref(walkRepository + ":" + refusedTag)
	one.prepare(t, ref)
	mark := s.mark(t)
	res := one.push(t, ref)
	res.fails(t)
	asked := s.since(t, mark)
	asked.wantSome(t, "POST|PUT", "^/v2/"+walkRepository+"/", 401)
	equal(t, "writes by a token to pull", len(asked.wrote()), 0)
	s.gone(t, admin, walkRepository, "/manifests/"+refusedTag)
	return s.seen(res)
}

// walkRobot pulls and pushes as a robot, which is disabled then.
func (c client) walkRobot(t *testing.T, s *server, text string) (refused string) {
	robot := s.addRobot(t, "ci", "alice/**:pull,push")
	one := c.signIn(t, s, robot)
	keepsSecret(t, one)
	pulls(t, s, one, walkRepository, "robot:ci", text)
	one.prepare(t, s.ref(walkRepository+":"+robotTag))
	pushes(t, s, one, robotTag, "robot:ci")
	token := s.token(t, robot, "repository:"+walkRepository+":pull,push")
	s.berth.run(t, "robot", "disable", "ci", "--config", s.config)
	endsAtOnce(t, s, token)
	return cannotPush(t, s, one, robotTag)
}

// walkRevoked pushes with a token of alice that is revoked then.
func (c client) walkRevoked(t *testing.T, s *server, alice user, own session) (refused string) {
	all, id := s.addToken(t, alice, "all")
	own.login(t, all).succeeds(t)
	keepsSecret(t, own)
	s.untag(t, walkRepository, walkTag)
	pushes(t, s, own, walkTag, "user:alice")
	token := s.token(t, all, "repository:"+walkRepository+":pull,push")
	s.berth.run(t, "token", "revoke", id, "--config", s.config)
	endsAtOnce(t, s, token)
	return cannotPush(t, s, own, walkTag)
}

// walkAnonymous pulls what everybody may, without any login.
func (c client) walkAnonymous(t *testing.T, s *server) {
	ref := s.ref(publicRepository + ":" + walkTag)
	publisher := c.signIn(t, s, admin)
	text := publisher.prepare(t, ref)
	publisher.push(t, ref).succeeds(t)
	pulls(t, s, c.open(t, s), publicRepository, "anonymous", text)
}

// walkChanged gives alice another password: neither what a client kept of the old one nor a refresh token is good then.
func (c client) walkChanged(t *testing.T, s *server, alice user, own session) (now user, refused string) {
	own.login(t, alice).succeeds(t)
	s.untag(t, walkRepository, walkTag)
	pushes(t, s, own, walkTag, "user:alice")
	one := c.adopts(t, s, alice, s.refreshToken(t, alice))
	now = user{alice.name, "another-password"}
	s.berth.input(now.password+"\n").run(t, "user", "password", alice.name, "--password-stdin", "--config", s.config)
	cannotPush(t, s, own, walkTag)
	refused = cannotPull(t, s, one)
	own.login(t, now).succeeds(t)
	s.untag(t, walkRepository, walkTag)
	pushes(t, s, own, walkTag, "user:alice")
	return now, refused
}

// walkOff switches refresh tokens off: a login keeps the password and the tokens that are left are refused. It ends with
// a logout.
func (c client) walkOff(t *testing.T, s *server, alice user, own session) (keeps, refused string) {
	one := c.adopts(t, s, alice, s.refreshToken(t, alice))
	s.stop(t)
	config := strings.Replace(readFile(t, s.config), "refresh_tokens: true", "refresh_tokens: false", 1)
	must(t, os.WriteFile(s.config, []byte(config), 0o600))
	s.start(t)
	refused = cannotPull(t, s, one)

	own.login(t, alice).succeeds(t)
	keeps = kept(t, own)
	s.untag(t, walkRepository, walkTag)
	pushes(t, s, own, walkTag, "user:alice")
	if k, can := own.(keeper); can {
		k.logout(t).succeeds(t)
		equal(t, "what is kept after a logout", k.kept(t), keptNothing)
		mark := s.mark(t)
		own.push(t, s.ref(walkRepository+":"+walkTag)).fails(t)
		equal(t, "writes after a logout", len(s.since(t, mark).wrote()), 0)
	}
	return keeps, refused
}
