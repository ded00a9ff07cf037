package e2e

import (
	"fmt"
	"testing"
)

// TestRestart stops the server in an orderly way and by kill -9, between two chunks of an upload: whatever was answered
// with success is still there, and the upload goes on where it was.
func TestRestart(t *testing.T) {
	require(t, "crane")
	for name, end := range map[string]func(*server, *testing.T){"stop": (*server).stop, "kill": (*server).kill} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t)
			alice := s.addUser(t, "alice")
			crane := s.crane(t, alice)
			img := newImage(t, ociTypes, "amd64")
			crane.run(t, "push", writeLayout(t, img.manifest, img), s.ref("alice/app:1"))
			content := newBlob("application/octet-stream", fmt.Appendf(nil, "%s, and then %s", img.text, img.text))
			half := len(content.data) / 2
			location := s.call(t, alice, "POST", "alice/app", "/v2/alice/app/blobs/uploads/", blob{}, 202).Header.Get("Location")
			location = s.patch(t, alice, location, content.data[:half])

			end(s, t)
			s.start(t)

			pulled := workDir(t)
			crane.run(t, "pull", "--format=oci", s.ref("alice/app:1"), pulled)
			sameLayout(t, pulled, img.manifest, img)
			status := s.call(t, alice, "GET", "alice/app", location, blob{}, 204)
			equal(t, "Range of the upload", status.Header.Get("Range"), fmt.Sprintf("0-%d", half-1))
			location = s.patch(t, alice, location, content.data[half:])
			s.call(t, alice, "PUT", "alice/app", withDigest(location, content.digest), blob{}, 201)
			stored := crane.run(t, "blob", s.ref("alice/app@"+content.digest))
			equal(t, "the uploaded blob", stored, string(content.data))
		})
	}
}

// patch sends a chunk and returns where the next one goes.
func (s *server) patch(t *testing.T, u user, location string, chunk []byte) string {
	t.Helper()
	body := blob{mediaType: "application/octet-stream", data: chunk}
	return s.call(t, u, "PATCH", "alice/app", location, body, 202).Header.Get("Location")
}
