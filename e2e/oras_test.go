package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

const (
	sbomType      = "application/vnd.example.sbom.v1+json"
	signatureType = "application/vnd.example.signature.v1"
)

// oras returns an oras of its own configuration, logged in as u: unlike crane's, its login asks the server.
func (s *server) oras(t *testing.T, u user) program {
	t.Helper()
	oras := require(t, "oras").setenv("DOCKER_CONFIG="+workDir(t), "HOME="+workDir(t))
	mark := s.mark(t)
	oras.input(u.password).run(t, "login", "--plain-http", s.addr, "-u", u.name, "--password-stdin")
	s.since(t, mark).wantSome(t, "GET", "^/v2/$", 200)
	return oras
}

func TestOrasArtifact(t *testing.T) {
	require(t, "oras")
	s := startServer(t)
	alice := s.addUser(t, "alice")
	dir := workDir(t)
	must(t, os.WriteFile(filepath.Join(dir, "model.bin"), []byte("the weights"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "empty.txt"), nil, 0o644))
	oras := s.oras(t, alice).in(dir)
	ref := s.ref("alice/model:1")
	mark := s.mark(t)
	oras.run(t, "push", "--plain-http", "--artifact-type", "application/vnd.example.model", ref,
		"model.bin:application/vnd.example.weights", "empty.txt:text/plain")
	s.since(t, mark).want(t, 3, "PUT", "/blobs/uploads/", 201)

	stored := s.manifest(t, alice, "alice/model", "1")
	equal(t, "oras manifest fetch", oras.run(t, "manifest", "fetch", "--plain-http", ref), string(stored.data))
	contains(t, "manifest", string(stored.data), `"artifactType":"application/vnd.example.model"`)
	out := workDir(t)
	oras.run(t, "pull", "--plain-http", "-o", out, ref)
	equal(t, "model.bin", readFile(t, filepath.Join(out, "model.bin")), "the weights")
	equal(t, "empty.txt", readFile(t, filepath.Join(out, "empty.txt")), "")
	s.pushesNothing(t, oras, "push", "--plain-http", "--artifact-type", "application/vnd.example.model", ref,
		"model.bin:application/vnd.example.weights", "empty.txt:text/plain")
	oras.run(t, "tag", "--plain-http", ref, "2", "latest")
	equal(t, "oras repo tags", oras.run(t, "repo", "tags", "--plain-http", s.ref("alice/model")), "1\n2\nlatest")
	equal(t, "oras repo ls", oras.run(t, "repo", "ls", "--plain-http", s.addr), "alice/model")
}

// TestOrasReferrers attaches to an image through the API and through the tags of clients that do not know it.
func TestOrasReferrers(t *testing.T) {
	require(t, "oras")
	s := startServer(t)
	alice := s.addUser(t, "alice")
	img := newImage(t, ociTypes, "amd64")
	s.push(t, alice, "alice/app", "1", img)
	oras := s.oras(t, alice).in(workDir(t))
	ref := s.ref("alice/app:1")
	sbom := attach(t, oras, ref, sbomType, "sbom.json")
	signature := attach(t, oras, ref, signatureType, "app.sig")
	equal(t, "all referrers", discover(t, oras, ref), sorted(sbom, signature))
	equal(t, "referrers of one type", discover(t, oras, ref, "--artifact-type", sbomType), sbom)

	old := attach(t, oras, ref, sbomType, "old.json", "--distribution-spec", "v1.1-referrers-tag")
	equal(t, "with the one attached by tag", discover(t, oras, ref), sorted(sbom, signature, old))

	out := workDir(t)
	oras.run(t, "pull", "--plain-http", "-o", out, s.ref("alice/app@"+signature))
	equal(t, "attached file", readFile(t, filepath.Join(out, "app.sig")), "content of app.sig")
	oras.run(t, "manifest", "delete", "--plain-http", "--force", s.ref("alice/app@"+signature))
	equal(t, "after deleting one", discover(t, oras, ref), sorted(sbom, old))
}

// TestOrasCopy copies an image with all that refers to it, and a multi-platform image of either family to a layout.
func TestOrasCopy(t *testing.T) {
	require(t, "oras")
	s := startServer(t)
	alice := s.addUser(t, "alice")
	oras := s.oras(t, alice).in(workDir(t))
	for name, types := range map[string]mediaTypes{"oci": ociTypes, "docker": dockerTypes} {
		t.Run(name, func(t *testing.T) {
			idx := newIndex(t, types, "amd64", "arm64")
			from, to := s.ref("alice/"+name+":1"), s.ref("alice/"+name+"-copy:1")
			oras.run(t, "cp", "--from-oci-layout", "--to-plain-http", writeLayout(t, idx.manifest, idx.images...)+":e2e", from)
			equal(t, "digest pushed", s.digest(t, alice, "alice/"+name, "1"), idx.manifest.digest)
			signature := attach(t, oras, from, signatureType, "index.sig")
			oras.run(t, "cp", "--recursive", "--from-plain-http", "--to-plain-http", from, to)
			equal(t, "digest of the copy", s.digest(t, alice, "alice/"+name+"-copy", "1"), idx.manifest.digest)
			equal(t, "referrers of the copy", discover(t, oras, to), signature)
			out := workDir(t)
			oras.run(t, "cp", "--from-plain-http", "--to-oci-layout", to, out+":e2e")
			sameLayout(t, out, idx.manifest, idx.images...)
		})
	}
}

func TestOrasDelete(t *testing.T) {
	require(t, "oras")
	s := startServer(t)
	alice := s.addUser(t, "alice")
	oras := s.oras(t, alice)
	img := newImage(t, ociTypes, "amd64")
	s.push(t, alice, "alice/app", "1", img)
	layer := s.ref("alice/app@" + img.layers[0].digest)
	mark := s.mark(t)
	reason := oras.fail(t, "blob", "delete", "--plain-http", "--force", layer)
	contains(t, "delete of a layer in use", reason, "unsupported")
	contains(t, "delete of a layer in use", reason, img.manifest.digest)
	s.since(t, mark).want(t, 1, "DELETE", "/blobs/sha256:", 405)
	equal(t, "the layer", oras.run(t, "blob", "fetch", "--plain-http", "--output", "-", layer), string(img.layers[0].data))

	oras.run(t, "manifest", "delete", "--plain-http", "--force", s.ref("alice/app@"+img.manifest.digest))
	s.gone(t, alice, "alice/app", "/manifests/1")
	oras.run(t, "blob", "delete", "--plain-http", "--force", layer)
	s.gone(t, alice, "alice/app", "/blobs/"+img.layers[0].digest)
}

func TestOrasDenied(t *testing.T) {
	require(t, "oras")
	s := startServer(t)
	alice, bob := s.addUser(t, "alice"), s.addUser(t, "bob")
	img := newImage(t, ociTypes, "amd64")
	s.push(t, alice, "alice/app", "1", img)

	fresh := require(t, "oras").setenv("DOCKER_CONFIG=" + workDir(t))
	mark := s.mark(t)
	fresh.input("wrong").fail(t, "login", "--plain-http", s.addr, "-u", "alice", "--password-stdin")
	s.since(t, mark).want(t, 0, "GET", "^/v2/$", 200)
	fresh.fail(t, "manifest", "fetch", "--plain-http", s.ref("alice/app:1"))

	mark = s.mark(t)
	other := s.oras(t, bob).in(workDir(t))
	other.fail(t, "manifest", "fetch", "--plain-http", s.ref("alice/app:1"))
	other.fail(t, "discover", "--plain-http", s.ref("alice/app@"+img.manifest.digest))
	must(t, os.WriteFile(filepath.Join(other.dir, "evil.sig"), []byte("evil"), 0o644))
	other.fail(t, "attach", "--plain-http", "--artifact-type", signatureType, s.ref("alice/app@"+img.manifest.digest), "evil.sig")
	denied := s.since(t, mark)
	denied.want(t, 0, "GET", "^/v2/alice", 200)
	equal(t, "writes by bob", len(denied.wrote()), 0)
}

// attach attaches a small file to an image and returns the digest of the new manifest.
func attach(t *testing.T, oras program, ref, artifactType, name string, flags ...string) string {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(oras.dir, name), []byte("content of "+name), 0o644))
	args := append([]string{"attach", "--plain-http", "--format", "json", "--artifact-type", artifactType}, flags...)
	var answer struct{ Digest string }
	must(t, json.Unmarshal([]byte(oras.run(t, append(args, ref, name)...)), &answer))
	return answer.Digest
}

// discover returns the digests of what refers to an image, in order.
func discover(t *testing.T, oras program, ref string, flags ...string) string {
	t.Helper()
	args := append([]string{"discover", "--plain-http", "--format", "json"}, flags...)
	var answer struct{ Referrers []struct{ Digest string } }
	must(t, json.Unmarshal([]byte(oras.run(t, append(args, ref)...)), &answer))
	var digests []string
	for _, r := range answer.Referrers {
		digests = append(digests, r.Digest)
	}
	return sorted(digests...)
}

// orasSession copies images from and to layouts.
type orasSession struct {
	layouts
	dockerConfig
	oras program
}

func TestClientOras(t *testing.T) { orasClient(t).walk(t) }

func orasClient(t *testing.T) client {
	return client{name: "oras", version: moduleVersion(t, require(t, "oras")), deletes: "manifest", open: openOras}
}

func openOras(t *testing.T, s *server) session {
	dir := workDir(t)
	return &orasSession{newLayouts(t), dockerConfig{dir + "/config.json", s.addr}, require(t, "oras").setenv("DOCKER_CONFIG="+dir, "HOME="+dir)}
}

func (c *orasSession) login(t *testing.T, u user) result {
	return c.oras.input(u.password).exec(t, "login", "--plain-http", c.host, "-u", u.name, "--password-stdin")
}

func (c *orasSession) logout(t *testing.T) result {
	return c.oras.exec(t, "logout", c.host)
}

func (c *orasSession) push(t *testing.T, ref string) result {
	return c.oras.exec(t, "cp", "--from-oci-layout", "--to-plain-http", c.source+":e2e", ref)
}

func (c *orasSession) pull(t *testing.T, ref string) result {
	return c.oras.exec(t, "cp", "--from-plain-http", "--to-oci-layout", ref, c.pulled+":e2e")
}

func (c *orasSession) remove(t *testing.T, ref string) result {
	return c.oras.exec(t, "manifest", "delete", "--plain-http", "--force", ref)
}
