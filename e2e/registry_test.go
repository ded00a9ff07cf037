package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// call makes one request of ours to the server's API, with a token of u for repository, and checks the status.
func (s *server) call(t *testing.T, u user, method, repository, rest string, content blob, status int) *http.Response {
	t.Helper()
	target := rest
	if !strings.HasPrefix(rest, "http://") {
		target = "http://" + s.addr + rest
	}
	req, err := http.NewRequestWithContext(t.Context(), method, target, bytes.NewReader(content.data))
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+s.token(t, u, "repository:"+repository+":pull,push"))
	for _, types := range []mediaTypes{ociTypes, dockerTypes} {
		req.Header.Add("Accept", types.index)
		req.Header.Add("Accept", types.manifest)
	}
	if content.mediaType != "" {
		req.Header.Set("Content-Type", content.mediaType)
	}
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if resp.StatusCode != status {
		t.Fatalf("%s %s: %s, want %d\n%s", method, rest, resp.Status, status, body)
	}
	return resp
}

func (s *server) token(t *testing.T, u user, scope string) string {
	t.Helper()
	query := url.Values{"service": {"berth"}, "scope": {scope}}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.addr+"/token?"+query.Encode(), nil)
	must(t, err)
	if u.name != "" {
		req.SetBasicAuth(u.name, u.password)
	}
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	var answer struct{ Token string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("token for %q: %s, %v", u.name, resp.Status, err)
	}
	return answer.Token
}

// push stores an image without any client.
func (s *server) push(t *testing.T, u user, repository, reference string, img image) {
	t.Helper()
	for _, b := range img.blobs() {
		location := s.call(t, u, "POST", repository, "/v2/"+repository+"/blobs/uploads/", blob{}, 202).Header.Get("Location")
		s.call(t, u, "PUT", repository, withDigest(location, b.digest), blob{mediaType: "application/octet-stream", data: b.data}, 201)
	}
	s.putManifest(t, u, repository, reference, img.manifest)
}

// pushIndex stores a multi-platform image without any client.
func (s *server) pushIndex(t *testing.T, u user, repository, reference string, idx index) {
	t.Helper()
	for _, img := range idx.images {
		s.push(t, u, repository, img.manifest.digest, img)
	}
	s.putManifest(t, u, repository, reference, idx.manifest)
}

func (s *server) putManifest(t *testing.T, u user, repository, reference string, manifest blob) {
	t.Helper()
	s.call(t, u, "PUT", repository, "/v2/"+repository+"/manifests/"+reference, manifest, 201)
}

// untag takes a tag off its manifest, which stays with all that it needs.
func (s *server) untag(t *testing.T, repository, tag string) {
	t.Helper()
	resp := s.bearer(t, "DELETE", "/v2/"+repository+"/manifests/"+tag, s.token(t, admin, "repository:"+repository+":delete"))
	equal(t, "status of DELETE "+repository+":"+tag, resp.StatusCode, http.StatusAccepted)
}

// withDigest completes the URL of an upload.
func withDigest(location, digest string) string {
	if strings.Contains(location, "?") {
		return location + "&digest=" + digest
	}
	return location + "?digest=" + digest
}

// digest returns the digest the server reports for a tag.
func (s *server) digest(t *testing.T, u user, repository, tag string) string {
	t.Helper()
	resp := s.call(t, u, "HEAD", repository, "/v2/"+repository+"/manifests/"+tag, blob{}, 200)
	return resp.Header.Get("Docker-Content-Digest")
}

// manifest returns what the server stores under a reference.
func (s *server) manifest(t *testing.T, u user, repository, reference string) blob {
	t.Helper()
	resp := s.call(t, u, "GET", repository, "/v2/"+repository+"/manifests/"+reference, blob{}, 200)
	data, err := io.ReadAll(resp.Body)
	must(t, err)
	return newBlob(resp.Header.Get("Content-Type"), data)
}

// gone fails unless the server answers 404 for a path of a repository.
func (s *server) gone(t *testing.T, u user, repository, rest string) {
	t.Helper()
	s.call(t, u, "HEAD", repository, "/v2/"+repository+rest, blob{}, 404)
}
