package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

// crane returns a crane of its own configuration, logged in as u.
func (s *server) crane(t *testing.T, u user) program {
	t.Helper()
	crane := require(t, "crane").setenv("DOCKER_CONFIG=" + workDir(t))
	crane.input(u.password).run(t, "auth", "login", s.addr, "-u", u.name, "--password-stdin")
	return crane
}

func TestCraneImage(t *testing.T) {
	require(t, "crane")
	s := startServer(t)
	alice := s.addUser(t, "alice")
	crane := s.crane(t, alice)
	for name, types := range map[string]mediaTypes{"oci": ociTypes, "docker": dockerTypes} {
		t.Run(name, func(t *testing.T) {
			img := newImage(t, types, "amd64")
			ref := s.ref("alice/" + name + ":1")
			mark := s.mark(t)
			printed := crane.run(t, "push", writeLayout(t, img.manifest, img), ref)
			contains(t, "crane push", printed, "@"+img.manifest.digest)
			uploads := s.since(t, mark)
			uploads.want(t, 3, "PUT", "/blobs/uploads/", 201)
			uploads.want(t, 1, "PUT", "/manifests/1$", 201)

			equal(t, "crane digest", crane.run(t, "digest", ref), img.manifest.digest)
			equal(t, "digest of the server", s.digest(t, alice, "alice/"+name, "1"), img.manifest.digest)
			equal(t, "crane manifest", crane.run(t, "manifest", ref), string(img.manifest.data))
			equal(t, "crane config", crane.run(t, "config", ref), string(img.config.data))
			equal(t, "crane blob", crane.run(t, "blob", s.ref("alice/"+name)+"@"+img.layers[1].digest), string(img.layers[1].data))
			crane.run(t, "validate", "--remote", ref)

			pulled := workDir(t)
			crane.run(t, "pull", "--format=oci", ref, pulled)
			sameLayout(t, pulled, img.manifest, img)
			equal(t, "file of the image", craneFile(t, crane, ref), img.text)
			s.pushesNothing(t, crane, "push", pulled, ref)
		})
	}
}

func TestCraneIndex(t *testing.T) {
	require(t, "crane")
	s := startServer(t)
	alice := s.addUser(t, "alice")
	crane := s.crane(t, alice)
	for name, types := range map[string]mediaTypes{"oci": ociTypes, "docker": dockerTypes} {
		t.Run(name, func(t *testing.T) {
			idx := newIndex(t, types, "amd64", "arm64")
			ref := s.ref("alice/multi-" + name + ":1")
			crane.run(t, "push", writeLayout(t, idx.manifest, idx.images...), ref)
			equal(t, "crane digest", crane.run(t, "digest", ref), idx.manifest.digest)
			for i, arch := range []string{"amd64", "arm64"} {
				one := crane.with("--platform", "linux/"+arch)
				equal(t, "digest for "+arch, one.run(t, "digest", ref), idx.images[i].manifest.digest)
				equal(t, "file for "+arch, craneFile(t, one, ref), idx.images[i].text)
			}
			pulled := workDir(t)
			crane.run(t, "pull", "--format=oci", ref, pulled)
			sameLayout(t, pulled, idx.manifest, idx.images...)
			s.pushesNothing(t, crane, "push", pulled, ref)
		})
	}
}

// TestCraneCopy copies between repositories: the registry moves the blobs itself, by mounting.
func TestCraneCopy(t *testing.T) {
	require(t, "crane")
	s := startServer(t)
	alice := s.addUser(t, "alice")
	crane := s.crane(t, alice)
	idx := newIndex(t, ociTypes, "amd64", "arm64")
	crane.run(t, "push", writeLayout(t, idx.manifest, idx.images...), s.ref("alice/source:1"))
	mark := s.mark(t)
	crane.run(t, "copy", s.ref("alice/source:1"), s.ref("alice/copy:1"))
	copied := s.since(t, mark)
	copied.want(t, 6, "POST", "/v2/alice/copy/blobs/uploads/$", 201)
	copied.want(t, 0, "PATCH", ".")
	copied.want(t, 0, "GET", "/blobs/sha256:")
	equal(t, "digest of the copy", s.digest(t, alice, "alice/copy", "1"), idx.manifest.digest)
	equal(t, "file of the copy", craneFile(t, crane.with("--platform", "linux/arm64"), s.ref("alice/copy:1")), idx.images[1].text)
	crane.run(t, "copy", s.ref("alice/source:1"), s.ref("alice/copy:2"))
	crane.run(t, "tag", s.ref("alice/copy:1"), "3")
	equal(t, "crane ls", crane.run(t, "ls", s.ref("alice/copy")), "1\n2\n3")
}

func TestCraneCatalog(t *testing.T) {
	require(t, "crane")
	s := startServer(t)
	users := []user{s.addUser(t, "alice"), s.addUser(t, "bob")}
	for _, u := range users {
		s.push(t, u, u.name+"/app", "1", newImage(t, ociTypes, "amd64"))
		s.push(t, u, u.name+"/tools/deep", "1", newImage(t, ociTypes, "amd64"))
	}
	all := s.crane(t, admin).run(t, "catalog", s.addr)
	equal(t, "catalog of the administrator", all, "alice/app\nalice/tools/deep\nbob/app\nbob/tools/deep")
	own := s.crane(t, users[0]).run(t, "catalog", s.addr)
	equal(t, "catalog of alice", own, "alice/app\nalice/tools/deep")
}

func TestCraneDelete(t *testing.T) {
	require(t, "crane")
	s := startServer(t)
	alice := s.addUser(t, "alice")
	crane := s.crane(t, alice)
	img := newImage(t, ociTypes, "amd64")
	layout := writeLayout(t, img.manifest, img)
	for _, tag := range []string{"1", "2"} {
		crane.run(t, "push", layout, s.ref("alice/app:"+tag))
	}
	crane.run(t, "delete", s.ref("alice/app:1"))
	equal(t, "tags after deleting one", crane.run(t, "ls", s.ref("alice/app")), "2")
	s.gone(t, alice, "alice/app", "/manifests/1")
	equal(t, "the other tag", s.digest(t, alice, "alice/app", "2"), img.manifest.digest)

	crane.run(t, "delete", s.ref("alice/app@"+img.manifest.digest))
	s.gone(t, alice, "alice/app", "/manifests/2")
	s.gone(t, alice, "alice/app", "/manifests/"+img.manifest.digest)
	contains(t, "pull of what was deleted", crane.fail(t, "manifest", s.ref("alice/app:2")), "MANIFEST_UNKNOWN")
	crane.run(t, "push", layout, s.ref("alice/app:again"))
	equal(t, "file after pushing again", craneFile(t, crane, s.ref("alice/app:again")), img.text)
}

func TestCraneDenied(t *testing.T) {
	require(t, "crane")
	s := startServer(t)
	alice, bob := s.addUser(t, "alice"), s.addUser(t, "bob")
	img := newImage(t, ociTypes, "amd64")
	s.push(t, alice, "alice/app", "1", img)
	layout := writeLayout(t, img.manifest, img)

	mark := s.mark(t)
	wrong := s.crane(t, user{"alice", "not-the-password"})
	contains(t, "wrong password", strings.ToLower(wrong.fail(t, "ls", s.ref("alice/app"))), "unauthorized")
	refused := s.since(t, mark)
	refused.wantSome(t, "GET", "^/token$", 401)
	refused.want(t, 0, "GET", "^/v2/alice", 200)

	mark = s.mark(t)
	other := s.crane(t, bob)
	other.fail(t, "pull", s.ref("alice/app:1"), filepath.Join(workDir(t), "out.tar"))
	other.fail(t, "push", layout, s.ref("alice/app:2"))
	other.fail(t, "delete", s.ref("alice/app:1"))
	other.fail(t, "copy", s.ref("alice/app:1"), s.ref("bob/stolen:1"))
	denied := s.since(t, mark)
	equal(t, "writes by bob", len(denied.wrote()), 0)
	denied.want(t, 0, "GET", "^/v2/alice", 200)
	s.gone(t, alice, "alice/app", "/manifests/2")
	equal(t, "the image of alice", s.digest(t, alice, "alice/app", "1"), img.manifest.digest)
}

// craneFile returns the content of /e2e.txt of an image, by downloading and unpacking it.
func craneFile(t *testing.T, crane program, ref string) string {
	t.Helper()
	file := filepath.Join(workDir(t), "fs.tar")
	crane.run(t, "export", ref, file)
	return strings.TrimSpace(require(t, "tar").run(t, "-xOf", file, "e2e.txt"))
}

// pushesNothing runs a push of what the server has already.
func (s *server) pushesNothing(t *testing.T, client program, args ...string) {
	t.Helper()
	mark := s.mark(t)
	client.run(t, args...)
	again := s.since(t, mark)
	again.want(t, 0, "POST", "/blobs/uploads/")
	again.want(t, 0, "PATCH", "/blobs/uploads/")
	again.want(t, 0, "PUT", "/blobs/uploads/")
}

// craneSession keeps images as layouts. Its login asks nobody.
type craneSession struct {
	layouts
	dockerConfig
	crane program
}

func TestClientCrane(t *testing.T) { craneClient(t).walk(t) }

func craneClient(t *testing.T) client {
	return client{name: "crane", version: moduleVersion(t, require(t, "crane")), deletes: "tag", open: openCrane}
}

func openCrane(t *testing.T, s *server) session {
	dir := workDir(t)
	return &craneSession{newLayouts(t), dockerConfig{dir + "/config.json", s.addr}, require(t, "crane").setenv("DOCKER_CONFIG=" + dir)}
}

func (c *craneSession) login(t *testing.T, u user) result {
	return c.crane.input(u.password).exec(t, "auth", "login", c.host, "-u", u.name, "--password-stdin")
}

func (c *craneSession) logout(t *testing.T) result {
	return c.crane.exec(t, "auth", "logout", c.host)
}

func (c *craneSession) push(t *testing.T, ref string) result {
	return c.crane.exec(t, "push", c.source, ref)
}

func (c *craneSession) pull(t *testing.T, ref string) result {
	return c.crane.exec(t, "pull", "--format=oci", ref, c.pulled)
}

func (c *craneSession) remove(t *testing.T, ref string) result {
	return c.crane.exec(t, "delete", ref)
}
