package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
)

// teamGrants lets who is in the group dev into team/**.
const teamGrants = `BERTH_AUTH_GRANTS=[{who: [authenticated], repositories: ["${user}/**"], actions: ["*"]}, {who: ["group:dev"], repositories: ["team/**"], actions: [pull, push]}]`

// withDirectory returns a server that asks slapd.
func withDirectory(t *testing.T) (*server, *directory) {
	t.Helper()
	d := startDirectory(t)
	s := newServer(t, "")
	s.env = []string{d.env(), teamGrants}
	s.start(t)
	return s, d
}

// status is how the token endpoint answers a name and a password.
func (s *server) status(t *testing.T, u user) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.scheme+"://"+s.addr+"/token?service=berth", nil)
	must(t, err)
	req.SetBasicAuth(u.name, u.password)
	resp, err := s.client.Do(req)
	must(t, err)
	resp.Body.Close()
	return resp.StatusCode
}

func TestDirectoryLogin(t *testing.T) {
	s, _ := withDirectory(t)
	for _, tc := range []struct {
		user   user
		status int
	}{
		{user{"alice", "alice-password"}, 200},
		{user{"bob", "bob-password"}, 200},
		{user{"alice", "bob-password"}, 401},
		{user{"alice", ""}, 401}, // a bind without a password would succeed
		{user{"bob", "*"}, 401},
		{user{"*", "alice-password"}, 401},
		{user{"Alice", "alice-password"}, 401}, // the directory would not mind
		{user{"nobody", "alice-password"}, 401},
		{admin, 200},
		{user{"admin", "admin-of-the-directory"}, 401}, // a local account is never shadowed
		{user{"berth", "berth-password"}, 401},         // the service account has no uid
	} {
		equal(t, tc.user.name+" with "+tc.user.password, s.status(t, tc.user), tc.status)
	}
	list := s.berth.run(t, "user", "list", "--config", s.config)
	contains(t, "berth user list", list, "alice   true    dev,ops   ldap")
	contains(t, "berth user list", list, "bob     false             ldap")
	log, err := os.ReadFile(s.proc.log)
	must(t, err)
	for _, secret := range []string{"alice-password", "berth-password", "admin-of-the-directory"} {
		lacks(t, "log of berth", string(log), secret)
	}
}

func TestDirectoryGroups(t *testing.T) {
	require(t, "crane")
	s, d := withDirectory(t)
	alice, bob := user{"alice", "alice-password"}, user{"bob", "bob-password"}
	img := newImage(t, ociTypes, "amd64")
	layout := writeLayout(t, img.manifest, img)
	client := s.crane(t, bob)
	client.run(t, "push", layout, s.ref("bob/app:1"))
	client.fail(t, "push", layout, s.ref("team/app:1"))

	equal(t, "ldapmodify", d.modify(t, "dn: cn=dev,ou=groups,dc=example,dc=org\nchangetype: modify\nadd: member\nmember: uid=bob,ou=people,dc=example,dc=org\n"), 0)
	s.stop(t) // what is remembered for a minute is forgotten
	s.start(t)
	client.run(t, "push", layout, s.ref("team/app:1"))
	equal(t, "digest", s.digest(t, bob, "team/app", "1"), img.manifest.digest)
	before := s.token(t, bob, "repository:team/app:pull,push")
	administrates := s.token(t, alice, "repository:team/app:delete")

	equal(t, "ldapmodify", d.modify(t, "dn: cn=dev,ou=groups,dc=example,dc=org\nchangetype: modify\ndelete: member\nmember: uid=bob,ou=people,dc=example,dc=org\n\n"+
		"dn: cn=ops,ou=groups,dc=example,dc=org\nchangetype: modify\ndelete: member\nmember: uid=alice,ou=people,dc=example,dc=org\n"), 0)
	s.stop(t)
	s.start(t)
	client.fail(t, "push", layout, s.ref("team/app:2"))
	s.status(t, alice) // so that berth hears of it
	equal(t, "push with a token from before", s.with(t, before, "POST", "/v2/team/app/blobs/uploads/"), 401)
	equal(t, "deletion by who was administrator", s.with(t, administrates, "DELETE", "/v2/team/app/manifests/"+img.manifest.digest), 401)
}

// with sends a request with a token and returns the status.
func (s *server) with(t *testing.T, token, method, path string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.scheme+"://"+s.addr+path, strings.NewReader(""))
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := s.client.Do(req)
	must(t, err)
	resp.Body.Close()
	return resp.StatusCode
}

// TestDirectoryTokens makes a personal token by the directory's password; it is worth what the directory says of its owner.
func TestDirectoryTokens(t *testing.T) {
	s, d := withDirectory(t)
	bob := user{"bob", "bob-password"}
	equal(t, "bob", s.status(t, bob), 200)
	req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+s.addr+"/api/v1/tokens", strings.NewReader(`{"name": "laptop"}`))
	must(t, err)
	req.SetBasicAuth(bob.name, bob.password)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	var made struct{ Secret string }
	must(t, json.NewDecoder(resp.Body).Decode(&made))
	equal(t, "status of POST /api/v1/tokens", resp.StatusCode, 201)
	token := user{bob.name, made.Secret}
	equal(t, "bob by a personal token", s.status(t, token), 200)
	equal(t, "alice by it", s.status(t, user{"alice", made.Secret}), 401)

	equal(t, "ldapmodify", d.modify(t, "dn: cn=dev,ou=groups,dc=example,dc=org\nchangetype: modify\nadd: member\nmember: uid=bob,ou=people,dc=example,dc=org\n"), 0)
	s.stop(t) // what is remembered for a minute is forgotten
	s.start(t)
	equal(t, "upload by a token for team", s.with(t, s.token(t, token, "repository:team/app:pull,push"), "POST", "/v2/team/app/blobs/uploads/"), 202)

	equal(t, "ldapmodify", d.modify(t, "dn: uid=bob,ou=people,dc=example,dc=org\nchangetype: delete\n"), 0)
	s.stop(t)
	s.start(t)
	equal(t, "the personal token of who has left", s.status(t, token), 401)
}

func TestDirectoryByDocker(t *testing.T) {
	e := dockerEngine(t)
	s, _ := withDirectory(t)
	docker := e.docker(t)
	contains(t, "docker login", docker.input("wrong").fail(t, "login", s.addr, "-u", "alice", "--password-stdin"), "nauthorized")
	docker = e.login(t, s, user{"alice", "alice-password"})
	ref := s.ref("team/busybox:1")
	buildBusybox(t, docker, ref)
	digest := pushed(t, docker.run(t, "push", ref))
	docker.run(t, "image", "rm", ref)
	contains(t, "docker pull", docker.run(t, "pull", ref), "Digest: "+digest)
	docker.run(t, "image", "rm", ref)
}

// TestDirectoryDown keeps local accounts working, tells a failure from a wrong password, and recovers.
func TestDirectoryDown(t *testing.T) {
	s, d := withDirectory(t)
	s.provoked = http.StatusServiceUnavailable
	alice := user{"alice", "alice-password"}
	d.stop(t)
	equal(t, "alice without a directory", s.status(t, alice), 503)
	equal(t, "admin without a directory", s.status(t, admin), 200)
	d.start(t)
	equal(t, "alice", s.status(t, alice), 200)
	d.stop(t)
	equal(t, "alice, remembered", s.status(t, alice), 200)
}
