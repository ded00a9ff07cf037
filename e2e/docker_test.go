package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"testing"
)

func TestDockerLogin(t *testing.T) {
	e, s := dockerEngine(t), startServer(t)
	s.addUser(t, "alice")
	docker := e.docker(t)
	mark := s.mark(t)
	out := docker.input("wrong").fail(t, "login", s.addr, "-u", "alice", "--password-stdin")
	contains(t, "docker login", out, "nauthorized")
	refused := s.since(t, mark)
	refused.wantSome(t, "GET", "^/token$", 401)
	refused.want(t, 0, "GET", "^/v2/$", 200)

	mark = s.mark(t)
	docker = e.login(t, s, user{"alice", "alice-password"})
	accepted := s.since(t, mark)
	accepted.want(t, 1, "GET", "^/v2/$", 401) // the challenge
	accepted.want(t, 1, "GET", "^/v2/$", 200)
	contains(t, "docker logout", docker.run(t, "logout", s.addr), "Removing login credentials")
}

// TestDockerPushPullRun is what a registry is for.
func TestDockerPushPullRun(t *testing.T) {
	e, s := dockerEngine(t), startServer(t)
	alice := s.addUser(t, "alice")
	docker := e.login(t, s, alice)
	ref := s.ref("alice/busybox:1.35")
	text := buildBusybox(t, docker, ref)
	id := docker.run(t, "image", "inspect", "-f", "{{.Id}}", ref)

	mark := s.mark(t)
	digest := pushed(t, docker.run(t, "push", ref))
	push := s.since(t, mark)
	push.want(t, 4, "POST", "^/v2/alice/busybox/blobs/uploads/$", 202) // three layers and the config
	push.want(t, 4, "PUT", "^/v2/alice/busybox/blobs/uploads/", 201)
	push.want(t, 1, "PUT", "^/v2/alice/busybox/manifests/1.35$", 201)
	for _, r := range push.wrote() {
		equal(t, "principal of "+r.Path, r.Principal, push.wrote()[0].Principal)
		contains(t, "principal of "+r.Path, r.Principal, "alice")
	}
	equal(t, "digest of the server", s.digest(t, alice, "alice/busybox", "1.35"), digest)
	equal(t, "RepoDigests", repoDigests(t, docker, ref), s.ref("alice/busybox@"+digest))
	s.pushesNothing(t, docker, "push", ref)

	docker.run(t, "image", "rm", ref)
	docker.fail(t, "image", "inspect", ref)
	mark = s.mark(t)
	contains(t, "docker pull", docker.run(t, "pull", ref), "Digest: "+digest)
	pull := s.since(t, mark)
	pull.want(t, 1, "GET", "^/v2/alice/busybox/manifests/", 200)
	pull.want(t, 4, "GET", "^/v2/alice/busybox/blobs/sha256:", 200)
	equal(t, "image after the round trip", docker.run(t, "image", "inspect", "-f", "{{.Id}}", ref), id)
	equal(t, "RepoDigests after the round trip", repoDigests(t, docker, ref), s.ref("alice/busybox@"+digest))
	equal(t, "what the container prints", docker.run(t, "run", "--rm", "--network", "none", ref), "this is "+text)
	equal(t, "file in the container", docker.run(t, "run", "--rm", "--network", "none", ref, "cat", "/etc/message"), text)

	docker.run(t, "image", "rm", ref)
	byDigest := s.ref("alice/busybox@" + digest)
	docker.run(t, "pull", byDigest)
	equal(t, "image pulled by digest", docker.run(t, "image", "inspect", "-f", "{{.Id}}", byDigest), id)
	docker.run(t, "image", "rm", byDigest)
}

// TestDockerNginx runs a server out of a pulled image, finds it by docker search, and copies it to another repository.
func TestDockerNginx(t *testing.T) {
	e, s := dockerEngine(t), startServer(t)
	alice, bob := s.addUser(t, "alice"), s.addUser(t, "bob")
	docker := e.login(t, s, alice)
	ref, other := s.ref("alice/web/nginx:1.22"), s.ref("alice/mirror:latest")
	page := buildNginx(t, docker, ref)
	mark := s.mark(t)
	digest := pushed(t, docker.run(t, "push", ref))
	uploads := s.since(t, mark)
	uploads.want(t, 2, "PUT", "^/v2/alice/web/nginx/blobs/uploads/", 201)

	docker.run(t, "tag", ref, other)
	mark = s.mark(t)
	equal(t, "digest in the other repository", pushed(t, docker.run(t, "push", other)), digest)
	mounted := s.since(t, mark)
	mounted.want(t, 1, "POST", "^/v2/alice/mirror/blobs/uploads/$", 201) // the layer,
	mounted.want(t, 1, "PUT", "^/v2/alice/mirror/blobs/uploads/", 201)   // and only the config is sent

	docker.run(t, "image", "rm", ref, other)
	mark = s.mark(t)
	docker.run(t, "pull", ref)
	downloads := s.since(t, mark).find("GET", "/blobs/", 200)
	figure(t, "%.1f MB pushed, %.1f MB pulled, by docker", float64(uploads.received())/(1<<20), float64(downloads.sent())/(1<<20))
	equal(t, "bytes pulled", downloads.sent(), uploads.find("PATCH", "/blobs/uploads/", 202).received())
	version := docker.exec(t, "run", "--rm", "--network", "none", ref, "-v")
	contains(t, "nginx -v", version.stderr, "nginx/1.")
	equal(t, "page served by the container", serve(t, docker, ref), page)
	docker.run(t, "image", "rm", ref)

	find := func(docker program) string {
		return docker.run(t, "search", "--format", "{{.Name}}", s.addr+"/nginx")
	}
	equal(t, "docker search by alice", find(docker), "alice/web/nginx")
	equal(t, "docker search by bob", find(e.login(t, s, bob)), "")
	equal(t, "docker search by nobody", find(e.docker(t)), "")
}

// TestDockerDenied tries what must not work, and checks that nothing of it reached the store.
func TestDockerDenied(t *testing.T) {
	e, s := dockerEngine(t), startServer(t)
	alice, bob := s.addUser(t, "alice"), s.addUser(t, "bob")
	docker := e.login(t, s, alice)
	ref, foreign := s.ref("alice/app:1"), s.ref("alice/app:2")
	buildBusybox(t, docker, ref)
	docker.run(t, "tag", ref, foreign)
	docker.run(t, "push", ref)
	digest := s.digest(t, alice, "alice/app", "1")

	for name, client := range map[string]program{"nobody": e.docker(t), "bob": e.login(t, s, bob)} {
		t.Run(name, func(t *testing.T) {
			mark := s.mark(t)
			contains(t, "docker push", client.fail(t, "push", foreign), "denied")
			contains(t, "docker pull", client.fail(t, "pull", ref), "denied")
			refused := s.since(t, mark)
			refused.want(t, 0, "GET", "^/v2/alice", 200)
			refused.want(t, 0, "HEAD", "^/v2/alice", 200)
			refused.want(t, 0, "POST", "^/v2/alice", 201, 202)
			equal(t, "writes", len(refused.wrote()), 0)
			for _, r := range refused {
				if r.Status == 404 {
					t.Errorf("tells what exists: %v", r)
				}
			}
		})
	}
	s.gone(t, alice, "alice/app", "/manifests/2")
	equal(t, "the image of alice", s.digest(t, alice, "alice/app", "1"), digest)
	docker.run(t, "image", "rm", ref, foreign)
}

// TestDockerPublic pulls without any login what is granted to everybody, which still cannot be pushed to.
func TestDockerPublic(t *testing.T) {
	e, s := dockerEngine(t), startServer(t)
	bob := s.addUser(t, "bob")
	docker := e.login(t, s, admin)
	ref := s.ref("public/busybox:1")
	text := buildBusybox(t, docker, ref)
	digest := pushed(t, docker.run(t, "push", ref))

	for name, client := range map[string]program{"nobody": e.docker(t), "bob": e.login(t, s, bob)} {
		t.Run(name, func(t *testing.T) {
			client.run(t, "image", "rm", ref)
			mark := s.mark(t)
			contains(t, "docker pull", client.run(t, "pull", ref), "Digest: "+digest)
			pull := s.since(t, mark)
			pull.want(t, 1, "GET", "^/v2/$", 401) // even so: docker forgets its credentials otherwise
			pull.want(t, 4, "GET", "^/v2/public/busybox/blobs/sha256:", 200)
			for _, r := range pull.find("GET", "^/v2/public") {
				lacks(t, "principal", r.Principal, "admin")
			}
			equal(t, "what the container prints", client.run(t, "run", "--rm", "--network", "none", ref), "this is "+text)
			client.run(t, "tag", ref, s.ref("public/busybox:2"))
			contains(t, "docker push", client.fail(t, "push", s.ref("public/busybox:2")), "denied")
			client.run(t, "image", "rm", s.ref("public/busybox:2"))
		})
	}
	s.gone(t, admin, "public/busybox", "/manifests/2")
}

// TestDockerPlatform pulls one platform of images that other tools pushed, of either family.
func TestDockerPlatform(t *testing.T) {
	e, s := dockerEngine(t), startServer(t)
	alice := s.addUser(t, "alice")
	docker := e.login(t, s, alice)
	for name, types := range map[string]mediaTypes{"oci": ociTypes, "docker": dockerTypes} {
		t.Run(name, func(t *testing.T) {
			idx := newIndex(t, types, "amd64", "arm64")
			s.pushIndex(t, alice, "alice/"+name, "1", idx)
			ref := s.ref("alice/" + name + ":1")
			for i, arch := range []string{"amd64", "arm64"} {
				mark := s.mark(t)
				out := docker.run(t, "pull", "--platform", "linux/"+arch, ref)
				contains(t, "docker pull", out, "Digest: "+idx.manifest.digest)
				pull := s.since(t, mark)
				pull.want(t, 1, "GET", "/manifests/"+idx.images[i].manifest.digest, 200)
				pull.want(t, 0, "GET", "/manifests/"+idx.images[1-i].manifest.digest)
				equal(t, "file for "+arch, copyOut(t, docker, ref, "/e2e.txt"), idx.images[i].text)
				docker.run(t, "image", "rm", ref)
			}
		})
	}
}

// pushed finds the digest in what docker push prints.
func pushed(t *testing.T, out string) string {
	t.Helper()
	found := regexp.MustCompile(`digest: (sha256:[0-9a-f]{64}) size:`).FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("docker push printed no digest:\n%s", out)
	}
	return found[1]
}

func repoDigests(t *testing.T, docker program, ref string) string {
	t.Helper()
	var list []string
	must(t, json.Unmarshal([]byte(docker.run(t, "image", "inspect", "-f", "{{json .RepoDigests}}", ref)), &list))
	if len(list) != 1 {
		return fmt.Sprint(list)
	}
	return list[0]
}

// copyOut returns a file of an image that has no program to print it.
func copyOut(t *testing.T, docker program, ref, name string) string {
	t.Helper()
	container := docker.run(t, "create", "--network", "none", ref)
	defer docker.run(t, "rm", container)
	file := filepath.Join(workDir(t), "copy")
	docker.run(t, "cp", "--follow-link", container+":"+name, file)
	return readFile(t, file)
}
