package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// limitTable says what users of each client read when no pull is left.
var limitTable = clientTable{"../docs/pull-limits.md", behaviour.begin,
	[]string{"docker", "podman", "buildah", "containerd 1", "containerd 2", "skopeo", "crane", "oras", "regctl", "helm"},
	[]string{"client", "version", "pulls", "gives up within", "what its user reads"}}

func TestLimitsDocument(t *testing.T) { limitTable.complete(t) }

// pullLimit is what a user has in the tests of limits.
const pullLimit = 6

// startLimited returns a server on which users have few pulls.
func startLimited(t *testing.T, env ...string) *server {
	t.Helper()
	return startServer(t, append([]string{"BERTH_RATELIMIT_AUTHENTICATED=" + strconv.Itoa(pullLimit), "BERTH_RATELIMIT_ANONYMOUS=100"}, env...)...)
}

// remaining is how many pulls a user has left, by the probe that Docker documents for its Hub.
func (s *server) remaining(t *testing.T, u user) int {
	t.Helper()
	resp := s.call(t, u, "HEAD", "ratelimitpreview/test", "/v2/ratelimitpreview/test/manifests/latest", blob{}, 200)
	text, window, _ := strings.Cut(resp.Header.Get("Ratelimit-Remaining"), ";w=")
	equal(t, "window", window, "21600")
	n, err := strconv.Atoi(text)
	must(t, err)
	return n
}

// exhaust makes all the pulls that a user has left, of an image.
func (s *server) exhaust(t *testing.T, u user, repository, digest string) {
	t.Helper()
	for n := s.remaining(t, u); n > 0; n-- {
		s.manifest(t, u, repository, digest)
	}
	equal(t, "pulls left", s.remaining(t, u), 0)
}

// limited takes a client to its limit: what it pulls costs so many pulls, and with none left its user reads why, soon.
func (c client) limited(t *testing.T, pulls int, soon time.Duration) {
	s := startLimited(t)
	alice := s.addUser(t, "alice")
	one := c.signIn(t, s, alice)
	first, other := s.forPulling(t, alice, one, "alice/app"), s.forPulling(t, alice, one, "alice/other")
	before := s.remaining(t, alice)
	one.pull(t, first).succeeds(t)
	equal(t, "pulls left after one", s.remaining(t, alice), before-pulls)

	s.push(t, alice, "alice/last", "1", newImage(t, ociTypes, runtime.GOARCH))
	s.exhaust(t, alice, "alice/last", "1")
	mark, start := s.mark(t), time.Now()
	res := c.signIn(t, s, alice).pull(t, other)
	took := time.Since(start)
	res.fails(t)
	refused := s.since(t, mark)
	tries := len(refused.find("GET", "/manifests/", http.StatusTooManyRequests))
	seen := s.seen(res)
	contains(t, "what is read", seen, "You have reached your pull rate limit of 6 per 6h as 'alice'. The next pull is possible in …")
	figure(t, "%d tries in %v", tries, took.Round(100*time.Millisecond))
	if took > soon {
		t.Errorf("the user waited %v, at most %v", took, soon)
	}
	if !t.Failed() {
		limitTable.check(t, c.name, c.version,
			line(c.name, c.version, strconv.Itoa(pulls), strconv.Itoa(int(soon.Seconds()))+" s", quote(seen)))
	}
}

// forPulling stores an image for two platforms, or a chart for who pulls charts, and returns its name.
func (s *server) forPulling(t *testing.T, u user, one session, repository string) (ref string) {
	t.Helper()
	ref = s.ref(repository + ":" + walkTag)
	if charts, is := one.(*helmSession); is {
		charts.prepare(t, ref)
		charts.push(t, ref).succeeds(t)
		return ref
	}
	s.pushIndex(t, u, repository, walkTag, newIndex(t, ociTypes, runtime.GOARCH, "s390x"))
	return ref
}

// Clients for one machine fetch one image of a list, those that copy fetch all of them.
func TestLimitDocker(t *testing.T)      { dockerClient(t).limited(t, 1, 10*time.Second) }
func TestLimitContainerd1(t *testing.T) { containerd1Client(t).limited(t, 1, 10*time.Second) }
func TestLimitContainerd2(t *testing.T) {
	asKubelet(containerd2Client(t)).limited(t, 1, 10*time.Second)
}
func TestLimitSkopeo(t *testing.T) { skopeoClient(t).limited(t, 2, 35*time.Second) }
func TestLimitCrane(t *testing.T)  { craneClient(t).limited(t, 2, 10*time.Second) }
func TestLimitOras(t *testing.T)   { orasClient(t).limited(t, 2, 10*time.Second) }
func TestLimitRegctl(t *testing.T) { regctlClient(t).limited(t, 2, 10*time.Second) }
func TestLimitHelm(t *testing.T)   { helmClient(t).limited(t, 1, 10*time.Second) }

// These two try for two minutes, so they do it at once.
func TestLimitPodman(t *testing.T) {
	t.Parallel()
	podmanClient(t).limited(t, 1, 130*time.Second)
}

func TestLimitBuildah(t *testing.T) {
	t.Parallel()
	buildahClient(t).limited(t, 1, 130*time.Second)
}

// asKubelet has a client pull as containerd does for Kubernetes: ctr by itself fetches the manifests of all platforms.
func asKubelet(c client) client {
	open := c.open
	c.open = func(t *testing.T, s *server) session {
		one := open(t, s).(*containerdSession)
		one.pulls = []string{"--skip-metadata"}
		return one
	}
	return c
}

// TestDockerPullsUnchanged pulls what is there already: that is no pull.
func TestDockerPullsUnchanged(t *testing.T) {
	e, s := dockerEngine(t), startLimited(t)
	alice := s.addUser(t, "alice")
	idx := newIndex(t, ociTypes, runtime.GOARCH, "s390x")
	s.pushIndex(t, alice, "alice/app", "1", idx)
	s.push(t, alice, "alice/single", "1", newImage(t, dockerTypes, runtime.GOARCH))
	docker := e.login(t, s, alice)
	for _, name := range []string{"alice/app:1", "alice/single:1"} {
		before := s.remaining(t, alice)
		docker.run(t, "pull", s.ref(name))
		equal(t, "pulls left after "+name, s.remaining(t, alice), before-1)
		for range 3 {
			contains(t, "docker pull", docker.run(t, "pull", s.ref(name)), "up to date")
		}
		equal(t, "pulls left after "+name+" again", s.remaining(t, alice), before-1)
	}
}

// TestSignaturesAreNoPulls fetches what describes an image, as tools do that verify it: by oras, and as cosign keeps it.
func TestSignaturesAreNoPulls(t *testing.T) {
	require(t, "oras")
	s := startLimited(t)
	alice := s.addUser(t, "alice")
	img := newImage(t, ociTypes, runtime.GOARCH)
	s.push(t, alice, "alice/app", "1", img)
	oras := s.oras(t, alice).in(workDir(t))
	must(t, os.WriteFile(filepath.Join(oras.dir, "app.sig"), []byte("the signature"), 0o644))
	var attached struct{ Digest string }
	must(t, json.Unmarshal([]byte(oras.run(t, "attach", "--plain-http", "--format", "json", "--artifact-type", signatureType,
		s.ref("alice/app:1"), "app.sig:"+signatureType)), &attached)) // without a type oras would call the file a tar
	signature := attached.Digest
	before := s.remaining(t, alice)
	for range 3 {
		oras.run(t, "pull", "--plain-http", "-o", workDir(t), s.ref("alice/app@"+signature))
	}
	cosign := newReferrer(t, img.manifest, signatureType)
	cosign.manifest = newJSON(t, ociTypes.manifest, map[string]any{
		"schemaVersion": 2, "mediaType": ociTypes.manifest, "config": cosign.config.descriptor(), "layers": []any{cosign.layers[0].descriptor()},
	})
	tag := strings.Replace(img.manifest.digest, ":", "-", 1) + ".sig"
	s.push(t, alice, "alice/app", tag, cosign)
	for range 3 {
		s.manifest(t, alice, "alice/app", tag)
		s.manifest(t, alice, "alice/app", cosign.manifest.digest)
	}
	equal(t, "pulls left", s.remaining(t, alice), before)
	s.exhaust(t, alice, "alice/app", "1")
	oras.run(t, "pull", "--plain-http", "-o", workDir(t), s.ref("alice/app@"+signature))
}
