package e2e

import (
	"net/http"
	"testing"
)

// pulls gets walkTag where nothing of it is: every layer comes from the server, and who asked is principal.
func pulls(t *testing.T, s *server, one session, repository, principal, text string) {
	t.Helper()
	ref := s.ref(repository + ":" + walkTag)
	mark := s.mark(t)
	one.pull(t, ref).succeeds(t)
	pull := s.since(t, mark)
	stored := s.manifest(t, admin, repository, walkTag)
	for _, layer := range layers(t, stored) {
		pull.wantSome(t, "GET", "/blobs/"+layer+"$", 200)
	}
	pull.find("GET", "^/v2/"+repository+"/", 200).by(t, principal)
	digest, found := one.look(t, ref)
	equal(t, "digest pulled", digest, stored.digest)
	equal(t, "text in what was pulled", found, text)
}

// pushes sends what was prepared under a tag, which is absent or has been taken off: all that is written is written by
// principal.
func pushes(t *testing.T, s *server, one session, tag, principal string) {
	t.Helper()
	mark := s.mark(t)
	one.push(t, s.ref(walkRepository+":"+tag)).succeeds(t)
	push := s.since(t, mark)
	push.want(t, 1, "PUT", "/manifests/"+tag+"$", 201)
	push.wrote().by(t, principal)
}

// cannotPush pushes what went before the login was taken away. It ends with the tag where it was.
func cannotPush(t *testing.T, s *server, one session, tag string) (seen string) {
	t.Helper()
	stored := s.manifest(t, admin, walkRepository, tag)
	s.untag(t, walkRepository, tag)
	mark := s.mark(t)
	res := one.push(t, s.ref(walkRepository+":"+tag))
	res.fails(t)
	asked := s.since(t, mark)
	asked.wantSome(t, "GET|POST", "^/token$", 401)
	asked.revealNothing(t)
	equal(t, "writes", len(asked.wrote()), 0)
	s.gone(t, admin, walkRepository, "/manifests/"+tag)
	s.putManifest(t, admin, walkRepository, tag, stored)
	return s.seen(res)
}

// endsAtOnce fails if a token from before a login was taken away is good for a push.
func endsAtOnce(t *testing.T, s *server, token string) {
	t.Helper()
	resp := s.bearer(t, "POST", "/v2/"+walkRepository+"/blobs/uploads/", token)
	equal(t, "status of an upload with the token at hand", resp.StatusCode, http.StatusUnauthorized)
}

// cannotPull pulls with a refresh token that is no longer good.
func cannotPull(t *testing.T, s *server, one session) (seen string) {
	t.Helper()
	mark := s.mark(t)
	res := one.pull(t, s.ref(walkRepository+":"+robotTag))
	res.fails(t)
	asked := s.since(t, mark)
	asked.wantSome(t, "POST", "^/token$", 401)
	asked.want(t, 0, "POST", "^/token$", 200)
	asked.revealNothing(t)
	return s.seen(res)
}

// by fails unless there are requests, all of them by one.
func (rs requests) by(t *testing.T, principal string) {
	t.Helper()
	if len(rs) == 0 {
		t.Errorf("no requests by %s", principal)
	}
	for _, r := range rs {
		equal(t, "principal of "+r.Path, r.Principal, principal)
	}
}
