package e2e

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// withClientCA returns a server that speaks TLS, and who signs for it and for its clients.
func withClientCA(t *testing.T) (*server, authority) {
	t.Helper()
	ca := newAuthority(t, "registry")
	cert, key := ca.server(t)
	s := newServer(t, "")
	s.env = []string{fmt.Sprintf("BERTH_HTTP_TLS={cert: %q, key: %q, client_ca: %q}", cert, key, ca.file), teamGrants}
	s.scheme = "https"
	s.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.pool()}}}
	s.start(t)
	return s, ca
}

// certs returns a directory as certs.d has them, for a user whose certificate by has signed; without a name it has none.
func (a authority) certs(t *testing.T, by authority, name string, groups ...string) string {
	t.Helper()
	dir := workDir(t)
	ca, err := os.ReadFile(a.file)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "ca.crt"), ca, 0o600))
	if name != "" {
		by.client(t, dir, name, groups...)
	}
	return dir
}

// TestClientCertificateBySkopeo logs nobody in: the certificate is who one is.
func TestClientCertificateBySkopeo(t *testing.T) {
	s, ca := withClientCA(t)
	skopeo, _ := s.newSkopeo(t)
	img := newImage(t, ociTypes, "amd64")
	from := "oci:" + writeLayout(t, img.manifest, img) + ":e2e"
	push := func(certs string) program {
		return skopeo.with("copy", "--preserve-digests", "--dest-cert-dir", certs, from)
	}

	node := ca.certs(t, ca, "node-7", "dev")
	push(node).run(t, s.transport("node-7/app:1"))
	push(node).run(t, s.transport("team/app:1"))
	push(node).fail(t, s.transport("alice/app:1"))
	push(ca.certs(t, ca, "")).fail(t, s.transport("node-7/app:2"))
	push(ca.certs(t, newAuthority(t, "foreign"), "node-7", "dev")).fail(t, s.transport("node-7/app:2"))
	push(ca.certs(t, ca, "Node 7")).fail(t, s.transport("node-7/app:2"))
	push(ca.certs(t, ca, "admin")).fail(t, s.transport("node-7/app:2")) // an account with a password

	out := workDir(t)
	skopeo.run(t, "copy", "--preserve-digests", "--src-cert-dir", node, s.transport("team/app:1"), "oci:"+out+":e2e")
	sameLayout(t, out, img.manifest, img)
	skopeo.fail(t, "copy", "--src-cert-dir", ca.certs(t, ca, "node-8"), s.transport("team/app:1"), "oci:"+workDir(t)+":e2e")

	seen := s.requests(t, 0)
	for _, r := range seen.wrote() {
		equal(t, "who wrote "+r.Path, r.Principal, "user:node-7")
	}
	contains(t, "berth user list", s.berth.run(t, "user", "list", "--config", s.config), "node-7   false   dev      certificate")

	// Who logs in is that user, whatever the certificate.
	s.addUser(t, "alice")
	skopeo.input("alice-password").run(t, "login", "--cert-dir", node, "-u", "alice", "--password-stdin", s.addr)
	push(node).run(t, s.transport("alice/app:1"))
	push(node).fail(t, s.transport("node-7/app:3"))
	contains(t, "a wrong password", skopeo.input("guess").fail(t, "login", "--cert-dir", node, "-u", "alice", "--password-stdin", s.addr), "invalid username/password")
}

func TestClientCertificateByOras(t *testing.T) {
	oras := require(t, "oras").setenv("DOCKER_CONFIG=" + workDir(t))
	s, ca := withClientCA(t)
	certs := ca.certs(t, ca, "node-7", "dev")
	oras = oras.in(workDir(t))
	must(t, os.WriteFile(filepath.Join(oras.dir, "file"), []byte("text"), 0o600))
	flags := []string{"--ca-file", certs + "/ca.crt", "--cert-file", certs + "/client.cert", "--key-file", certs + "/client.key"}
	oras.with("push").with(flags...).run(t, s.ref("team/file:1"), "file:text/plain")
	must(t, os.Remove(filepath.Join(oras.dir, "file")))
	oras.with("pull").with(flags...).run(t, s.ref("team/file:1"))
	equal(t, "file", readFile(t, filepath.Join(oras.dir, "file")), "text")
	oras.with("pull").with(flags[:2]...).fail(t, s.ref("team/file:1"))
}
