package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// TestIDTokenOfARealProvider: a job that has no secret logs in with an ID token of a provider that berth finds by
// discovery, pushes where the claims of the token lead, and nowhere else.
func TestIDTokenOfARealProvider(t *testing.T) {
	require(t, "crane")
	job, other := person{ID: "id1", Username: "job", Password: "x"}, person{ID: "id2", Username: "other", Password: "x"}
	p := startIdentityProvider(t, nowhere, job, other)
	s := newServer(t, fmt.Sprintf(`  trusted_issuers:
    - {issuer: %q, audience: web, who: example, require: {sub: id1}, repositories: ["ci/${claim:azp}/*"], actions: [pull, push]}
`, p.issuer))
	s.start(t)
	token := p.idToken(t, job)

	img := newImage(t, ociTypes, "amd64")
	layout := writeLayout(t, img.manifest, img)
	crane := s.crane(t, user{"whoever", token})
	mark := s.mark(t)
	crane.run(t, "push", layout, s.ref("ci/web/app:1"))
	for _, r := range s.since(t, mark).wrote() {
		equal(t, "principal of "+r.Path, r.Principal, "outside:example:id1")
	}
	pulled := workDir(t)
	crane.run(t, "pull", "--format=oci", s.ref("ci/web/app:1"), pulled)
	sameLayout(t, pulled, img.manifest, img)
	contains(t, "crane push", crane.fail(t, "push", layout, s.ref("ci/other/app:1")), "401 Unauthorized")
	contains(t, "crane delete", crane.fail(t, "delete", s.ref("ci/web/app:1")), "UNAUTHORIZED")

	// Another user of the same provider has a token that is as good, and is not let in.
	crane = s.crane(t, user{"id1", p.idToken(t, other)})
	contains(t, "crane push", crane.fail(t, "push", layout, s.ref("ci/web/app:2")), "not those that are required")
	// An ID token is no bearer token.
	equal(t, "ID token as bearer", s.bearer(t, "GET", "/v2/", token).StatusCode, http.StatusUnauthorized)
}

// TestIDTokenWithDocker is what a pipeline does.
func TestIDTokenWithDocker(t *testing.T) {
	e := dockerEngine(t)
	job := person{ID: "id1", Username: "job", Password: "x"}
	p := startIdentityProvider(t, nowhere, job)
	s := newServer(t, fmt.Sprintf(`  trusted_issuers:
    - {issuer: %q, audience: web, who: example, require: {sub: id1}, repositories: ["ci/*"], actions: [pull, push]}
`, p.issuer))
	s.start(t)
	docker := e.login(t, s, user{"ci", p.idToken(t, job)})
	ref := s.ref("ci/busybox:1.35")
	buildBusybox(t, docker, ref)
	digest := pushed(t, docker.run(t, "push", ref))
	docker.run(t, "image", "rm", ref)
	contains(t, "docker pull", docker.run(t, "pull", ref), "Digest: "+digest)
	docker.run(t, "tag", ref, s.ref("alice/busybox:1"))
	contains(t, "docker push", docker.fail(t, "push", s.ref("alice/busybox:1")), "denied")
	docker.run(t, "image", "rm", ref, s.ref("alice/busybox:1"))
}

// bearer makes a request of ours with a token that is somebody else's.
func (s *server) bearer(t *testing.T, method, path, token string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.addr+path, nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	resp.Body.Close()
	return resp
}

// alicesHash is alice-password by bcrypt.
const alicesHash = "$2a$04$NcFqniVc0fDSys/VK8Xvj.bi6B.Sl2dm1m2d7hd8jZVTTh.A90cbu"

// startTokenServer starts the token server that distribution 2 brings: whoever has a password there may everything below
// the own name. Its tokens have the public key in their header (jwk) and no kid. It returns the file of its public key.
func startTokenServer(t *testing.T) (addr, public string) {
	t.Helper()
	server, dir, addr := require(t, "token-server"), workDir(t), freeAddr(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	private, err := x509.MarshalECPrivateKey(key)
	must(t, err)
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	must(t, err)
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, data, 0o600))
		return path
	}
	startHelper(t, server.with("-addr", addr, "-issuer", "token-server", "-realm", "e2e",
		"-key", file("key.pem", pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})),
		"-passwd", file("htpasswd", []byte("alice:"+alicesHash+"\n"))), filepath.Join(dir, "token-server.log"), answers(http.DefaultClient, "http://"+addr+"/token/"))
	return addr, file("public.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func tokenOf(t *testing.T, addr, scope string) string {
	t.Helper()
	query := url.Values{"service": {"berth"}, "scope": {scope}}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+addr+"/token/?"+query.Encode(), nil)
	must(t, err)
	req.SetBasicAuth("alice", "alice-password")
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	must(t, json.NewDecoder(resp.Body).Decode(&answer))
	return answer.Token
}

// TestTokensOfAnotherServer: the tokens of a token server as registries have had them since 2015 are good for what they
// say, as far as the configuration goes.
func TestTokensOfAnotherServer(t *testing.T) {
	require(t, "crane")
	addr, public := startTokenServer(t)
	s := newServer(t, fmt.Sprintf(`  trusted_issuers:
    - {issuer: token-server, jwks: %q, audience: berth, who: hub, tokens: registry, repositories: ["alice/**"], actions: [pull]}
`, public))
	s.start(t)
	alice := s.addUser(t, "alice") // who is another than the token server's
	img := newImage(t, ociTypes, "amd64")
	s.push(t, alice, "alice/app", "1", img)

	token := tokenOf(t, addr, "repository:alice/app:pull,push")
	dir := workDir(t)
	must(t, os.WriteFile(filepath.Join(dir, "config.json"), fmt.Appendf(nil, `{"auths":{%q:{"registrytoken":%q}}}`, s.addr, token), 0o600))
	crane := require(t, "crane").setenv("DOCKER_CONFIG=" + dir)
	mark := s.mark(t)
	pulled := workDir(t)
	crane.run(t, "pull", "--format=oci", s.ref("alice/app:1"), pulled)
	sameLayout(t, pulled, img.manifest, img)
	pull := s.since(t, mark)
	pull.want(t, 0, "GET|POST", "^/token$")
	for _, r := range pull.find("GET", "/manifests/", 200) {
		equal(t, "principal", r.Principal, "outside:hub:alice")
	}
	crane.fail(t, "push", writeLayout(t, img.manifest, img), s.ref("alice/other:1"))

	for _, tc := range []struct {
		scope, method, path string
		status              int
	}{
		{"repository:alice/app:pull", "GET", "/v2/alice/app/tags/list", 200},
		{"repository:alice/app:pull", "GET", "/v2/alice/other/tags/list", 401},
		{"repository:alice/app:pull,push", "POST", "/v2/alice/app/blobs/uploads/", 401}, // above the ceiling
		{"repository:alice/app:push", "GET", "/v2/alice/app/tags/list", 401},
		{"", "GET", "/v2/", 200},
		{"registry:catalog:*", "GET", "/v2/_catalog", 200},
	} {
		resp := s.bearer(t, tc.method, tc.path, tokenOf(t, addr, tc.scope))
		equal(t, tc.scope+" "+tc.method+" "+tc.path, resp.StatusCode, tc.status)
	}
	// It is no password, and nothing to be exchanged.
	equal(t, "as a bearer at /token", s.bearer(t, "GET", "/token", token).StatusCode, http.StatusUnauthorized)
}
