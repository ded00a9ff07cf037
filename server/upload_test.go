package server_test

import (
	"strings"
	"testing"

	"github.com/berth-registry/berth/oci"
)

// at is where the uploads of these tests are.
const at = "/v2/alice/app/blobs/"

// TestUploadWays pushes a blob in every way that there is.
func TestUploadWays(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	d, long := digestOf(tenBytes), sha512Of(tenBytes)
	start := row{do: "POST " + at + "uploads/", status: 202, gives: header{"Location": "{session}", "Docker-Upload-UUID": "{uuid}", "Range": "0-0", "Content-Length": "0"}}
	created := func(do, body, digest string) row {
		return row{do: do, body: body, status: 201, gives: header{"Location": at + digest, "Docker-Content-Digest": digest, "Range": ""}}
	}
	for _, way := range []struct {
		name, digest string
		rows         []row
	}{
		{"one POST, end-4b", d, []row{created("POST "+at+"uploads/?digest="+d, tenBytes, d)}},
		{"one POST, sha512", long, []row{created("POST "+at+"uploads/?digest="+long, tenBytes, long)}},
		{"POST without a slash", d, []row{{do: "POST " + at + "uploads", status: 202}, created("PUT {session}?digest="+d, tenBytes, d)}},
		{"one PUT, end-4a and end-6", d, []row{start, created("PUT {session}?digest="+d, tenBytes, d)}},
		{"one PUT, sha512", long, []row{start, created("PUT {session}?digest="+long, tenBytes, long)}},
		{"one PUT, escaped", d, []row{start, created("PUT {session}?digest=sha256%3A"+d[7:], tenBytes, d)}},
		{"digest-algorithm", long, []row{{do: "POST " + at + "uploads/?digest-algorithm=sha512", status: 202}, created("PUT {session}?digest="+long, tenBytes, long)}},
		{"another than digest-algorithm", d, []row{{do: "POST " + at + "uploads/?digest-algorithm=sha512", status: 202}, created("PUT {session}?digest="+d, tenBytes, d)}},
		{"streamed, end-5", d, []row{
			start,
			{do: "PATCH {session}", body: tenBytes, stream: true, status: 202, gives: header{"Location": "{session}", "Docker-Upload-UUID": "{uuid}", "Range": "0-9"}},
			created("PUT {session}?digest="+d, "", d),
		}},
		{"chunked", d, []row{
			start,
			{do: "PATCH {session}", with: header{"Content-Range": "0-3"}, body: "0123", status: 202, gives: header{"Range": "0-3"}},
			{do: "PATCH {session}", with: header{"Content-Range": "4-6"}, body: "456", status: 202, gives: header{"Range": "0-6"}},
			{do: "PATCH {session}", with: header{"Content-Range": "7-9"}, body: "789", status: 202, gives: header{"Range": "0-9"}},
			created("PUT {session}?digest="+d, "", d),
		}},
		{"chunked, as RFC 9110 writes it", d, []row{
			start,
			{do: "PATCH {session}", with: header{"Content-Range": "bytes 0-3/10"}, body: "0123", status: 202, gives: header{"Range": "0-3"}},
			{do: "PATCH {session}", with: header{"Content-Range": "bytes 4-9/*"}, body: "456789", stream: true, status: 202, gives: header{"Range": "0-9"}},
			created("PUT {session}?digest="+d, "", d),
		}},
		{"the last chunk in the PUT", d, []row{
			start,
			{do: "PATCH {session}", body: "01234", status: 202, gives: header{"Range": "0-4"}},
			{do: "PUT {session}?digest=" + d, with: header{"Content-Range": "5-9"}, body: "56789", status: 201},
		}},
		{"chunks of no byte and of one", long, []row{
			start,
			{do: "PATCH {session}", status: 202, gives: header{"Range": "0-0"}},
			{do: "PATCH {session}", with: header{"Content-Range": "0-0"}, body: "0", status: 202, gives: header{"Range": "0-0"}},
			{do: "PATCH {session}", status: 202, gives: header{"Range": "0-0"}},
			{do: "PATCH {session}", body: tenBytes[1:], status: 202, gives: header{"Range": "0-9"}},
			created("PUT {session}?digest="+long, "", long),
		}},
	} {
		last := way.rows[len(way.rows)-1]
		s.table(append(way.rows,
			row{do: "GET " + at + way.digest, status: 200, text: tenBytes},
			row{do: "DELETE " + at + way.digest, status: 202}))
		if strings.Contains(last.do, "{session}") {
			s.table([]row{
				{do: "GET {session}", status: 404, code: "BLOB_UPLOAD_UNKNOWN"},
				{do: last.do, body: last.body, status: 404, code: "BLOB_UPLOAD_UNKNOWN"},
			})
		}
		if t.Failed() {
			t.Fatalf("above: %s", way.name)
		}
	}
	if n := s.leftovers(); n != 0 {
		t.Errorf("%d files of dead uploads", n)
	}
}

// TestUploadAlgorithm hashes by the announced algorithm from the first byte.
func TestUploadAlgorithm(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	for query, want := range map[string]oci.Algorithm{"": "", "?digest-algorithm=sha256": oci.SHA256, "?digest-algorithm=sha512": oci.SHA512} {
		s.table([]row{{do: "POST " + at + "uploads/" + query, status: 202}})
		if u, err := s.bolt.Session(t.Context(), s.expand("{uuid}")); err != nil || u.Algorithm != want {
			t.Errorf("%q: %q, %v", query, u.Algorithm, err)
		}
	}
}

// TestUploadOrder refuses what does not go on where the last chunk ended,
// says where that is, and takes the right chunk afterwards.
func TestUploadOrder(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	d := digestOf(tenBytes)
	refused := header{"Location": "{session}", "Docker-Upload-UUID": "{uuid}", "Range": "0-3"}
	s.table([]row{
		{do: "POST " + at + "uploads/", status: 202},
		{do: "PATCH {session}", with: header{"Content-Range": "1-4"}, body: "1234", status: 416, code: "BLOB_UPLOAD_INVALID", gives: header{"Range": "0-0"}},
		{do: "PATCH {session}", with: header{"Content-Range": "0-3"}, body: "0123", status: 202},
		{do: "PATCH {session}", with: header{"Content-Range": "0-3"}, body: "0123", status: 416, code: "BLOB_UPLOAD_INVALID", gives: refused, has: "starts at 4"},
		{do: "PATCH {session}", with: header{"Content-Range": "5-9"}, body: "56789", status: 416, code: "BLOB_UPLOAD_INVALID", gives: refused},
		{do: "PUT {session}?digest=" + d, with: header{"Content-Range": "5-9"}, body: "56789", status: 416, code: "BLOB_UPLOAD_INVALID", gives: refused},
		{do: "GET {session}", status: 204, gives: refused},
		{do: "PATCH {session}", with: header{"Content-Range": "4-9"}, body: "456789", status: 202, gives: header{"Range": "0-9"}},
		{do: "PUT {session}?digest=" + d, status: 201},
		{do: "GET " + at + d, status: 200, text: tenBytes},
	})
}

// TestUploadLength refuses a chunk that is not as long as it says; the
// session is then what it was before.
func TestUploadLength(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	d := digestOf(tenBytes)
	for _, before := range []row{
		{do: "GET {session}", status: 204}, // nothing has been written
		{do: "PATCH {session}", status: 202},
		{do: "PATCH {session}", body: "0123", status: 202},
	} {
		next, so := "0-3", header{"Range": "0-0"}
		if before.body != "" {
			next, so = "4-7", header{"Range": "0-3"}
		}
		chunk := func(body string, stream bool) row {
			return row{do: "PATCH {session}", with: header{"Content-Range": next}, body: body, stream: stream, status: 400, code: "SIZE_INVALID"}
		}
		s.table([]row{
			{do: "POST " + at + "uploads/", status: 202},
			before,
			chunk("xyz", false), chunk("xyzxyz", false), chunk("", false), // Content-Length says otherwise
			chunk("xyz", true), chunk("xyzxyz", true), chunk(strings.Repeat("x", 1<<20), true), // the bytes do
			{do: "PUT {session}?digest=" + d, with: header{"Content-Range": next}, body: "xyz", stream: true, status: 400, code: "SIZE_INVALID"},
			{do: "GET {session}", status: 204, gives: so},
			{do: "PATCH {session}", body: tenBytes[len(before.body):], status: 202, gives: header{"Range": "0-9"}},
			{do: "PUT {session}?digest=" + d, status: 201},
			{do: "GET " + at + d, status: 200, text: tenBytes},
			{do: "DELETE " + at + d, status: 202},
		})
		if n := s.leftovers(); n != 0 {
			t.Errorf("%d files of dead uploads after %+v", n, before)
		}
	}
	bad := func(contentRange string) row {
		return row{do: "PATCH {session}", with: header{"Content-Range": contentRange}, body: tenBytes, status: 400, code: "BLOB_UPLOAD_INVALID"}
	}
	s.table([]row{
		{do: "POST " + at + "uploads/", status: 202},
		bad("9-0"), bad("0"), bad("-9"), bad("a-b"), bad("bytes */10"), bad("+0-9"), bad("0-99999999999999999999"),
		{do: "GET {session}", status: 204, gives: header{"Range": "0-0"}},
	})
}

// TestUploadDigest keeps nothing of what is not what it should be.
func TestUploadDigest(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	wrong, right := digestOf("other"), digestOf(tenBytes)
	gone := []row{
		{do: "GET {session}", status: 404, code: "BLOB_UPLOAD_UNKNOWN"},
		{do: "GET " + at + wrong, status: 404, code: "BLOB_UNKNOWN"},
		{do: "GET " + at + right, status: 404, code: "BLOB_UNKNOWN"},
	}
	for _, first := range []row{
		{do: "PATCH {session}", status: 202},
		{do: "PATCH {session}", body: tenBytes[:5], status: 202},
	} {
		rest := tenBytes[len(first.body):]
		for _, digest := range []string{wrong, sha512Of("other")} {
			s.table([]row{{do: "POST " + at + "uploads/", status: 202}, first, {do: "PUT {session}?digest=" + digest, body: rest, status: 400, code: "DIGEST_INVALID"}})
			s.table(gone)
		}
	}
	s.table([]row{{do: "POST " + at + "uploads/?digest=" + wrong, body: tenBytes, status: 400, code: "DIGEST_INVALID"}})
	s.table(gone[1:])
	s.table([]row{
		{do: "POST " + at + "uploads/?digest=x", body: tenBytes, status: 400, code: "DIGEST_INVALID"},
		{do: "POST " + at + "uploads/?digest-algorithm=md5", status: 400, code: "DIGEST_INVALID"},
		// Without a digest, or with an impossible one, the session goes on.
		{do: "POST " + at + "uploads/", status: 202},
		{do: "PUT {session}", body: tenBytes, status: 400, code: "DIGEST_INVALID", has: "parameter digest"},
		{do: "PUT {session}?digest=" + strings.ToUpper(right), body: tenBytes, status: 400, code: "DIGEST_INVALID"},
		{do: "PUT {session}?digest=" + right, body: tenBytes, status: 201},
	})
	if n := s.stored(); n != 1 {
		t.Errorf("%d blobs in storage, want the one that was right", n)
	}
	if n := s.leftovers(); n != 0 {
		t.Errorf("%d files of dead uploads", n)
	}
}

// TestUploadCancel is end-14: session and bytes are gone.
func TestUploadCancel(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	gone := []row{
		{do: "GET {session}", status: 404, code: "BLOB_UPLOAD_UNKNOWN"},
		{do: "PATCH {session}", body: tenBytes, status: 404, code: "BLOB_UPLOAD_UNKNOWN"},
		{do: "PUT {session}?digest=" + digestOf(tenBytes), body: tenBytes, status: 404, code: "BLOB_UPLOAD_UNKNOWN"},
		{do: "DELETE {session}", status: 404, code: "BLOB_UPLOAD_UNKNOWN"},
	}
	s.table([]row{{do: "POST " + at + "uploads/", status: 202}, {do: "DELETE {session}", status: 204}})
	s.table(gone)
	s.table([]row{{do: "POST " + at + "uploads/", status: 202}, {do: "PATCH {session}", body: tenBytes, status: 202}, {do: "DELETE {session}", status: 204}})
	s.table(gone)
	if n := s.leftovers(); n != 0 {
		t.Errorf("%d files of dead uploads", n)
	}
	for _, id := range []string{"x", "..%2f..%2fberth.db", "%2e%2e", strings.Repeat("x", 300), "a.part"} {
		s.table([]row{
			{do: "GET " + at + "uploads/" + id, status: 404, code: "BLOB_UPLOAD_UNKNOWN"},
			{do: "DELETE " + at + "uploads/" + id, status: 404, code: "BLOB_UPLOAD_UNKNOWN"},
		})
	}
}

// TestUploadRestart goes on where the process ended.
func TestUploadRestart(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	s.table([]row{{do: "POST " + at + "uploads/", status: 202}})
	s.restart()
	s.table([]row{{do: "PATCH {session}", body: "0123", status: 202, gives: header{"Range": "0-3"}}})
	s.restart()
	s.table([]row{
		{do: "GET {session}", status: 204, gives: header{"Range": "0-3", "Location": "{session}", "Docker-Upload-UUID": "{uuid}"}},
		{do: "PATCH {session}", with: header{"Content-Range": "4-9"}, body: "456789", status: 202, gives: header{"Range": "0-9"}},
	})
	s.restart()
	s.table([]row{{do: "PUT {session}?digest=" + digestOf(tenBytes), status: 201}})
	s.restart()
	s.table([]row{
		{do: "GET " + at + digestOf(tenBytes), status: 200, text: tenBytes},
		{do: "GET {session}", status: 404, code: "BLOB_UPLOAD_UNKNOWN"},
	})
}

// TestUploadSize holds max_blob on every way in.
func TestUploadSize(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{maxBlob: 10})
	more := tenBytes + "x"
	d := digestOf(more)
	for _, stream := range []bool{false, true} {
		s.table([]row{
			{do: "POST " + at + "uploads/?digest=" + d, body: more, stream: stream, status: 413, code: "SIZE_INVALID"},
			{do: "POST " + at + "uploads/", status: 202},
			{do: "PUT {session}?digest=" + d, body: more, stream: stream, status: 413, code: "SIZE_INVALID"},
			{do: "GET {session}", status: 404, code: "BLOB_UPLOAD_UNKNOWN"}, // this blob will never fit
			{do: "POST " + at + "uploads/", status: 202},
			{do: "PATCH {session}", body: "01234", status: 202},
			{do: "PATCH {session}", body: more[5:], stream: stream, status: 413, code: "SIZE_INVALID"},
			{do: "GET {session}", status: 404, code: "BLOB_UPLOAD_UNKNOWN"},
			{do: "POST " + at + "uploads/", status: 202},
			{do: "PATCH {session}", with: header{"Content-Range": "0-10"}, body: more, stream: stream, status: 413, code: "SIZE_INVALID"},
			{do: "GET " + at + d, status: 404, code: "BLOB_UNKNOWN"},
			{do: "POST " + at + "uploads/?digest=" + digestOf(tenBytes), body: tenBytes, stream: stream, status: 201},
			{do: "POST " + at + "uploads/", status: 202},
			{do: "PATCH {session}", body: tenBytes, stream: stream, status: 202, gives: header{"Range": "0-9"}},
			{do: "PUT {session}?digest=" + digestOf(tenBytes), status: 201},
		})
	}
	if n := s.leftovers(); n != 0 {
		t.Errorf("%d files of dead uploads", n)
	}
}
