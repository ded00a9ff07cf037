package e2e

import (
	"encoding/json"
	"path/filepath"
	"testing"
)

// skopeo returns a skopeo of its own credentials, logged in as u.
func (s *server) skopeo(t *testing.T, u user) program {
	t.Helper()
	skopeo, _ := s.newSkopeo(t)
	mark := s.mark(t)
	skopeo.input(u.password).run(t, "login", "--tls-verify=false", "-u", u.name, "--password-stdin", s.addr)
	s.since(t, mark).wantSome(t, "GET", "^/v2/$", 200)
	return skopeo
}

// newSkopeo returns one that is not logged in, and where it keeps credentials.
func (s *server) newSkopeo(t *testing.T) (program, dockerConfig) {
	t.Helper()
	dir := workDir(t)
	config := dockerConfig{filepath.Join(dir, "auth.json"), s.addr}
	return require(t, "skopeo").with("--insecure-policy", "--tmpdir", dir).
		setenv("REGISTRY_AUTH_FILE="+config.file, "XDG_RUNTIME_DIR="+dir, "HOME="+dir), config
}

// toServer and fromServer are the flags of a copy over plain HTTP.
var (
	toServer   = []string{"copy", "--all", "--preserve-digests", "--dest-tls-verify=false"}
	fromServer = []string{"copy", "--all", "--preserve-digests", "--src-tls-verify=false"}
)

func (s *server) transport(name string) string { return "docker://" + s.ref(name) }

func TestSkopeoImage(t *testing.T) {
	require(t, "skopeo")
	s := startServer(t)
	alice := s.addUser(t, "alice")
	skopeo := s.skopeo(t, alice)
	img := newImage(t, ociTypes, "amd64")
	mark := s.mark(t)
	skopeo.with(toServer...).run(t, "oci:"+writeLayout(t, img.manifest, img)+":e2e", s.transport("alice/app:1"))
	s.since(t, mark).want(t, 3, "PUT", "/blobs/uploads/", 201)
	equal(t, "digest pushed", s.digest(t, alice, "alice/app", "1"), img.manifest.digest)
	raw := skopeo.run(t, "inspect", "--tls-verify=false", "--raw", s.transport("alice/app:1"))
	equal(t, "skopeo inspect --raw", raw, string(img.manifest.data))
	out := workDir(t)
	skopeo.with(fromServer...).run(t, s.transport("alice/app:1"), "oci:"+out+":e2e")
	sameLayout(t, out, img.manifest, img)
	s.pushesNothing(t, skopeo.with(toServer...), "oci:"+out+":e2e", s.transport("alice/app:2"))
}

func TestSkopeoIndex(t *testing.T) {
	require(t, "skopeo")
	s := startServer(t)
	alice := s.addUser(t, "alice")
	skopeo := s.skopeo(t, alice)
	idx := newIndex(t, ociTypes, "amd64", "arm64")
	skopeo.with(toServer...).run(t, "oci:"+writeLayout(t, idx.manifest, idx.images...)+":e2e", s.transport("alice/multi:1"))
	equal(t, "digest pushed", s.digest(t, alice, "alice/multi", "1"), idx.manifest.digest)
	out := workDir(t)
	skopeo.with(fromServer...).run(t, s.transport("alice/multi:1"), "oci:"+out+":e2e")
	sameLayout(t, out, idx.manifest, idx.images...)
	config := skopeo.run(t, "--override-arch", "arm64", "inspect", "--tls-verify=false", "--config", "--raw", s.transport("alice/multi:1"))
	equal(t, "config for arm64", config, string(idx.images[1].config.data))

	mark := s.mark(t)
	copyHere := append(toServer, "--src-tls-verify=false")
	skopeo.with(copyHere...).run(t, s.transport("alice/multi:1"), s.transport("alice/copy:1"))
	copied := s.since(t, mark)
	copied.want(t, 4, "POST", "/v2/alice/copy/blobs/uploads/$", 201) // all layers are mounted,
	copied.want(t, 2, "PATCH", "/v2/alice/copy/blobs/uploads/", 202) // only configs are sent
	equal(t, "digest of the copy", s.digest(t, alice, "alice/copy", "1"), idx.manifest.digest)
}

// TestSkopeoConvert stores one image in Docker's format and in OCI's: the layers are the same bytes, kept once.
func TestSkopeoConvert(t *testing.T) {
	require(t, "skopeo")
	s := startServer(t)
	alice := s.addUser(t, "alice")
	skopeo := s.skopeo(t, alice)
	img := newImage(t, ociTypes, "amd64")
	source := "oci:" + writeLayout(t, img.manifest, img) + ":e2e"
	skopeo.run(t, "copy", "--dest-tls-verify=false", "--format", "v2s2", source, s.transport("alice/app:docker"))
	skopeo.run(t, "copy", "--dest-tls-verify=false", "--format", "oci", source, s.transport("alice/app:oci"))
	for tag, types := range map[string]mediaTypes{"docker": dockerTypes, "oci": ociTypes} {
		stored := s.manifest(t, alice, "alice/app", tag)
		equal(t, "media type of "+tag, stored.mediaType, types.manifest)
		for _, layer := range img.layers {
			contains(t, tag, string(stored.data), layer.digest)
		}
	}
	var listed struct{ Repository, Tags any }
	must(t, json.Unmarshal([]byte(skopeo.run(t, "list-tags", "--tls-verify=false", s.transport("alice/app"))), &listed))
	tags, err := json.Marshal(listed.Tags)
	must(t, err)
	equal(t, "skopeo list-tags", string(tags), `["docker","oci"]`)

	refused := skopeo.fail(t, "copy", "--dest-tls-verify=false", "--format", "v2s1", source, s.transport("alice/app:old"))
	contains(t, "schema 1", refused, "manifest invalid")
}

func TestSkopeoDelete(t *testing.T) {
	require(t, "skopeo")
	s := startServer(t)
	alice := s.addUser(t, "alice")
	skopeo := s.skopeo(t, alice)
	img := newImage(t, ociTypes, "amd64")
	s.push(t, alice, "alice/app", "1", img)
	s.push(t, alice, "alice/app", "2", img)
	skopeo.run(t, "delete", "--tls-verify=false", s.transport("alice/app:1")) // deletes what the tag names, by digest
	s.gone(t, alice, "alice/app", "/manifests/"+img.manifest.digest)
	s.gone(t, alice, "alice/app", "/manifests/2")
}

func TestSkopeoDenied(t *testing.T) {
	require(t, "skopeo")
	s := startServer(t)
	alice, bob := s.addUser(t, "alice"), s.addUser(t, "bob")
	img := newImage(t, ociTypes, "amd64")
	s.push(t, alice, "alice/app", "1", img)
	s.push(t, admin, "public/app", "1", img)
	source := "oci:" + writeLayout(t, img.manifest, img) + ":e2e"

	nobody, _ := s.newSkopeo(t)
	wrong := nobody.input("wrong").fail(t, "login", "--tls-verify=false", "-u", "alice", "--password-stdin", s.addr)
	contains(t, "wrong password", wrong, "invalid username/password")
	nobody.run(t, "inspect", "--tls-verify=false", s.transport("public/app:1"))
	nobody.fail(t, "inspect", "--tls-verify=false", s.transport("alice/app:1"))

	other := s.skopeo(t, bob)
	mark := s.mark(t)
	other.fail(t, "inspect", "--tls-verify=false", s.transport("alice/app:1"))
	other.with(toServer...).fail(t, source, s.transport("alice/app:2"))
	other.with(toServer...).fail(t, source, s.transport("public/app:2"))
	other.fail(t, "delete", "--tls-verify=false", s.transport("alice/app:1"))
	denied := s.since(t, mark)
	denied.want(t, 0, "GET", "^/v2/alice", 200)
	equal(t, "writes by bob", len(denied.wrote()), 0)
}

// skopeoSession keeps images as layouts.
type skopeoSession struct {
	layouts
	dockerConfig
	skopeo program
}

func TestClientSkopeo(t *testing.T) { skopeoClient(t).walk(t) }

func skopeoClient(t *testing.T) client {
	return client{name: "skopeo", version: printedVersion(t, require(t, "skopeo")), deletes: "manifest", open: openSkopeo}
}

func openSkopeo(t *testing.T, s *server) session {
	skopeo, config := s.newSkopeo(t)
	return &skopeoSession{newLayouts(t), config, skopeo}
}

func (c *skopeoSession) login(t *testing.T, u user) result {
	return c.skopeo.input(u.password).exec(t, "login", "--tls-verify=false", "-u", u.name, "--password-stdin", c.host)
}

func (c *skopeoSession) logout(t *testing.T) result {
	return c.skopeo.exec(t, "logout", c.host)
}

func (c *skopeoSession) push(t *testing.T, ref string) result {
	return c.skopeo.with(toServer...).exec(t, "oci:"+c.source+":e2e", "docker://"+ref)
}

func (c *skopeoSession) pull(t *testing.T, ref string) result {
	return c.skopeo.with(fromServer...).exec(t, "docker://"+ref, "oci:"+c.pulled+":e2e")
}

func (c *skopeoSession) remove(t *testing.T, ref string) result {
	return c.skopeo.exec(t, "delete", "--tls-verify=false", "docker://"+ref)
}
