package server_test

import (
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"
)

const (
	immutable = "private, max-age=31536000, immutable"
	tenBytes  = "0123456789"
)

func TestBlobGet(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	d := s.blob("alice/app", tenBytes)
	long := sha512Of(tenBytes)
	gives := header{
		"Content-Type": "application/octet-stream", "Content-Length": "10", "Accept-Ranges": "bytes", "Cache-Control": immutable,
		"Docker-Content-Digest": d, "Etag": `"` + d + `"`, "Last-Modified": "",
	}
	s.table([]row{
		{do: "GET " + at + d, status: 200, gives: gives, text: tenBytes},
		{do: "HEAD " + at + d, status: 200, gives: gives},
		{do: "GET " + at + "sha256%3a" + d[7:], status: 200, gives: gives, text: tenBytes},
		{do: "GET " + at + digestOf("absent"), status: 404, code: "BLOB_UNKNOWN"},
		{do: "HEAD " + at + digestOf("absent"), status: 404},
		{do: "GET " + at + long, status: 404, code: "BLOB_UNKNOWN"}, // stored by another digest
		{do: "GET /v2/alice/else/blobs/" + d, status: 404, code: "BLOB_UNKNOWN"},
		{do: "HEAD /v2/alice/else/blobs/" + d, status: 404},
		{do: "GET " + at + "latest", status: 400, code: "DIGEST_INVALID"},
		{do: "GET " + at + strings.ToUpper(d[7:]), status: 400, code: "DIGEST_INVALID"},
		{do: "POST /v2/alice/app/blobs/uploads/?digest=" + long, body: tenBytes, status: 201, gives: header{"Location": at + long, "Docker-Content-Digest": long}},
		{do: "GET " + at + long, status: 200, gives: header{"Docker-Content-Digest": long, "Etag": `"` + long + `"`}, text: tenBytes},
	})
}

// TestBlobEmpty is the blob of no bytes, which some tools push.
func TestBlobEmpty(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	d := digestOf("")
	s.table([]row{
		{do: "GET " + at + d, status: 404, code: "BLOB_UNKNOWN"},
		{do: "POST " + at + "uploads/?digest=" + d, status: 201, gives: header{"Location": at + d}},
		{do: "GET " + at + d, status: 200, gives: header{"Content-Length": "0"}},
		{do: "HEAD " + at + d, status: 200, gives: header{"Content-Length": "0"}},
		{do: "GET " + at + d, with: header{"Range": "bytes=0-"}, status: 200, gives: header{"Content-Length": "0"}},
		{do: "POST " + at + "uploads/", status: 202, gives: header{"Range": "0-0"}},
		{do: "PUT {session}?digest=" + sha512Of(""), status: 201},
		{do: "HEAD " + at + sha512Of(""), status: 200, gives: header{"Content-Length": "0"}},
	})
}

// TestBlobRange is RFC 9110, section 14, of which clients use a single range
// to resume and lazy-pulling snapshotters several.
func TestBlobRange(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	d := s.blob("alice/app", tenBytes)
	at := "/v2/alice/app/blobs/" + d
	tag := `"` + d + `"`
	part := func(r, contentRange, text string) row {
		return row{do: "GET " + at, with: header{"Range": r}, status: 206, gives: header{"Content-Range": contentRange, "Etag": tag, "Docker-Content-Digest": d}, text: text}
	}
	whole := func(with header) row {
		return row{do: "GET " + at, with: with, status: 200, gives: header{"Content-Range": "", "Content-Length": "10"}, text: tenBytes}
	}
	outside := func(r, contentRange string) row {
		return row{do: "GET " + at, with: header{"Range": r}, status: 416, code: "UNSUPPORTED", gives: header{"Content-Range": contentRange, "Cache-Control": "", "Etag": ""}}
	}
	s.table([]row{
		part("bytes=0-3", "bytes 0-3/10", "0123"),
		part("bytes=4-", "bytes 4-9/10", "456789"),
		part("bytes=-2", "bytes 8-9/10", "89"),
		part("bytes=0-0", "bytes 0-0/10", "0"),
		part("bytes=9-9", "bytes 9-9/10", "9"),
		part("bytes=5-1000", "bytes 5-9/10", "56789"),
		part("bytes=-1000", "bytes 0-9/10", tenBytes),
		outside("bytes=10-", "bytes */10"),
		outside("bytes=1000-2000", "bytes */10"),
		outside("bytes=3-1", ""),
		outside("bytes=x", ""),
		outside("bytes=0-99999999999999999999", ""),
		{do: "HEAD " + at, with: header{"Range": "bytes=0-3"}, status: 200, gives: header{"Content-Length": "10"}}, // ranges are for GET

		// More asked for than there is: an attack, answered with the whole.
		whole(header{"Range": "bytes=0-,0-,0-,0-"}),

		// If-Range takes only this blob's strong tag.
		{do: "GET " + at, with: header{"Range": "bytes=0-3", "If-Range": tag}, status: 206, text: "0123"},
		whole(header{"Range": "bytes=0-3", "If-Range": "W/" + tag}),
		whole(header{"Range": "bytes=0-3", "If-Range": `"x"`}),
		whole(header{"Range": "bytes=0-3", "If-Range": "Thu, 26 Nov 2026 00:00:00 GMT"}),

		// Preconditions.
		{do: "GET " + at, with: header{"If-None-Match": tag}, status: 304, gives: header{"Etag": tag, "Content-Type": ""}},
		{do: "GET " + at, with: header{"If-None-Match": `"x", W/` + tag}, status: 304},
		{do: "GET " + at, with: header{"If-None-Match": "*", "Range": "bytes=0-3"}, status: 304},
		{do: "HEAD " + at, with: header{"If-None-Match": tag}, status: 304, gives: header{"Etag": tag}},
		whole(header{"If-None-Match": `"x"`}),
		whole(header{"If-Match": tag}),
		{do: "GET " + at, with: header{"If-Match": `"x"`}, status: 412, code: "UNSUPPORTED", gives: header{"Cache-Control": "", "Etag": ""}},
		{do: "GET /v2/alice/app/blobs/" + digestOf("x"), with: header{"If-None-Match": "*"}, status: 404, code: "BLOB_UNKNOWN"},
	})
}

func TestBlobRanges(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	d := s.blob("alice/app", tenBytes)
	got := s.send(row{do: "GET /v2/alice/app/blobs/" + d, with: header{"Range": "bytes=0-1, 4-5,-1"}})
	kind, params, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
	if err != nil || got.StatusCode != 206 || kind != "multipart/byteranges" {
		t.Fatalf("%d %q, %v", got.StatusCode, kind, err)
	}
	parts := multipart.NewReader(strings.NewReader(got.body), params["boundary"])
	for _, want := range [][2]string{{"bytes 0-1/10", "01"}, {"bytes 4-5/10", "45"}, {"bytes 9-9/10", "9"}} {
		p, err := parts.NextPart()
		s.must(err)
		body, err := io.ReadAll(p)
		s.must(err)
		if p.Header.Get("Content-Range") != want[0] || string(body) != want[1] || p.Header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("part %v: %q, want %q", p.Header, body, want)
		}
	}
	if _, err := parts.NextPart(); err != io.EOF {
		t.Errorf("after the last part: %v", err)
	}
}

func TestBlobDelete(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	used, free := s.blob("alice/app", "config"), s.blob("alice/app", "free")
	doc := image("config")
	d := s.manifest("alice/app", "v1", doc)
	s.blob("alice/else", "free")
	s.table([]row{
		{do: "DELETE " + at + used, status: 405, code: "UNSUPPORTED", has: d + " still needs it"},
		{do: "GET " + at + used, status: 200, text: "config"},
		{do: "DELETE " + at + free, status: 202},
		{do: "GET " + at + free, status: 404, code: "BLOB_UNKNOWN"},
		{do: "HEAD " + at + free, status: 404},
		{do: "DELETE " + at + free, status: 404, code: "BLOB_UNKNOWN"},
		{do: "DELETE " + at + "x", status: 400, code: "DIGEST_INVALID"},
		{do: "DELETE /v2/alice/nowhere/blobs/" + free, status: 404, code: "BLOB_UNKNOWN"},
		{do: "GET /v2/alice/else/blobs/" + free, status: 200, text: "free"}, // another repository's link stays

		// Freed with the manifest that held it.
		{do: "DELETE /v2/alice/app/manifests/" + d, status: 202},
		{do: "DELETE " + at + used, status: 202},
		{do: "GET " + at + used, status: 404, code: "BLOB_UNKNOWN"},
	})
}

// TestBlobDeletedStaysDeleted is CVE-2026-35172: that another repository has
// the bytes again gives a repository whose link is gone nothing.
func TestBlobDeletedStaysDeleted(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	d := s.blob("alice/app", "secret")
	s.table([]row{
		{do: "GET /v2/alice/app/blobs/" + d, status: 200, text: "secret"},
		{do: "DELETE /v2/alice/app/blobs/" + d, status: 202},
	})
	s.blob("bob/app", "secret")
	s.table([]row{
		{do: "GET /v2/bob/app/blobs/" + d, as: "bob", status: 200, text: "secret"},
		{do: "GET /v2/alice/app/blobs/" + d, status: 404, code: "BLOB_UNKNOWN"},
		{do: "HEAD /v2/alice/app/blobs/" + d, status: 404},
		{do: "PUT /v2/alice/app/manifests/v1", body: image("secret"), status: 404, code: "MANIFEST_BLOB_UNKNOWN"},
	})
}
