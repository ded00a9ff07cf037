package server

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/distribution/reference"

	"github.com/berth-registry/berth/oci"
)

const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestParse(t *testing.T) {
	tests := []struct {
		method, url string
		kind        Kind
		repo, rest  string // rest: reference, digest or session
	}{
		{"GET", "/v2", GetBase, "", ""},
		{"GET", "/v2/", GetBase, "", ""},
		{"HEAD", "/v2/", GetBase, "", ""},
		{"GET", "/v2/_catalog", ListRepositories, "", ""},
		{"GET", "/v2/nginx/manifests/latest", GetManifest, "nginx", "latest"},
		{"HEAD", "/v2/a/b/c/manifests/" + digest, HeadManifest, "a/b/c", digest},
		{"PUT", "/v2/a/manifests/V_1", PutManifest, "a", "V_1"},
		{"DELETE", "/v2/a/manifests/x", DeleteManifest, "a", "x"},
		{"GET", "/v2/a/blobs/" + digest, GetBlob, "a", digest},
		{"GET", "/v2/a/blobs/sha256%3A" + digest[7:], GetBlob, "a", digest},
		{"HEAD", "/v2/a/blobs/" + digest, HeadBlob, "a", digest},
		{"DELETE", "/v2/a/blobs/" + digest, DeleteBlob, "a", digest},
		{"POST", "/v2/a/blobs/uploads/", StartUpload, "a", ""},
		{"POST", "/v2/a/blobs/uploads", StartUpload, "a", ""},
		{"PATCH", "/v2/a/blobs/uploads/X7", PatchUpload, "a", "X7"},
		{"PUT", "/v2/a/b/blobs/uploads/X7?digest=" + digest, PutUpload, "a/b", "X7"},
		{"GET", "/v2/a/blobs/uploads/X7", GetUpload, "a", "X7"},
		{"DELETE", "/v2/a/blobs/uploads/X7", CancelUpload, "a", "X7"},
		{"GET", "/v2/a/tags/list", ListTags, "a", ""},
		{"GET", "/v2/a/referrers/" + digest, ListReferrers, "a", digest},
		// Names made of the API's own words.
		{"GET", "/v2/manifests/manifests/manifests", GetManifest, "manifests", "manifests"},
		{"GET", "/v2/a/manifests/b/manifests/c", GetManifest, "a/manifests/b", "c"},
		{"GET", "/v2/tags/list/tags/list", ListTags, "tags/list", ""},
		{"POST", "/v2/blobs/uploads/blobs/uploads/", StartUpload, "blobs/uploads", ""},
		{"GET", "/v2/a/blobs/uploads/manifests/x", GetManifest, "a/blobs/uploads", "x"},
		{"GET", "/v2/_catalog/manifests/x", kindNone, "", ""},
	}
	for _, test := range tests {
		u, err := url.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		req, err := Parse(test.method, u)
		if test.kind == kindNone {
			if err == nil {
				t.Errorf("%s %s: accepted as %v", test.method, test.url, req.Kind)
			}
			continue
		}
		rest := req.Reference.String() + string(req.Digest) + req.Session
		if err != nil || req.Kind != test.kind || req.Repo != test.repo || rest != test.rest {
			t.Errorf("%s %s = %v %q %q, %v", test.method, test.url, req.Kind, req.Repo, rest, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, test := range []struct {
		method, url string
		want        *oci.Error
	}{
		{"GET", "/", oci.ErrNotFound},
		{"GET", "/v3/", oci.ErrNotFound},
		{"GET", "/v2x/a/tags/list", oci.ErrNotFound},
		{"GET", "/v2/a", oci.ErrNotFound},
		{"GET", "/v2/a/b/c", oci.ErrNotFound},
		{"GET", "/v2/a/tags/list/", oci.ErrNotFound},
		{"GET", "/v2/a/tags/other", oci.ErrNotFound},
		{"GET", "/v2/tags/list", oci.ErrNameInvalid},
		{"GET", "/v2//tags/list", oci.ErrNameInvalid},
		{"GET", "/v2/a//b/tags/list", oci.ErrNameInvalid},
		{"GET", "/v2/A/tags/list", oci.ErrNameInvalid},
		{"GET", "/v2/../tags/list", oci.ErrNameInvalid},
		{"GET", "/v2/a/../b/tags/list", oci.ErrNameInvalid},
		{"GET", "/v2/a%2fb/tags/list", oci.ErrNameInvalid},
		{"GET", "/v2/a%2Fb/manifests/x", oci.ErrNameInvalid},
		{"GET", "/v2/%2e%2e/manifests/x", oci.ErrNameInvalid},
		{"GET", "/v2/a\\b/manifests/x", oci.ErrNameInvalid},
		{"GET", "/v2/a%00/manifests/x", oci.ErrNameInvalid},
		{"GET", "/v2/" + strings.Repeat("a", 256) + "/manifests/x", oci.ErrNameInvalid},
		{"GET", "/v2/a/manifests/a%2fb", oci.ErrTagInvalid},
		{"GET", "/v2/a/manifests/.x", oci.ErrTagInvalid},
		{"GET", "/v2/a/manifests/", oci.ErrTagInvalid},
		{"GET", "/v2/a/manifests/sha256:x", oci.ErrDigestInvalid},
		{"GET", "/v2/a/blobs/latest", oci.ErrDigestInvalid},
		{"GET", "/v2/a/blobs/sha256:" + strings.ToUpper(digest[7:]), oci.ErrDigestInvalid},
		{"GET", "/v2/a/referrers/x", oci.ErrDigestInvalid},
		{"POST", "/v2/a/manifests/x", oci.ErrUnsupported},
		{"PATCH", "/v2/", oci.ErrUnsupported},
		{"DELETE", "/v2/a/tags/list", oci.ErrUnsupported},
		{"GET", "/v2/a/blobs/uploads/", oci.ErrUnsupported},
		{"GET", "/v2/a/tags/list?n=-1", oci.ErrBadRequest},
		{"GET", "/v2/a/tags/list?n=many", oci.ErrBadRequest},
		{"GET", "/v2/a/tags/list?n=99999999999999999999", oci.ErrBadRequest},
		{"GET", "/v2/a/tags/list?n=%zz", oci.ErrBadRequest},
		{"POST", "/v2/a/blobs/uploads/?mount=x", oci.ErrDigestInvalid},
		{"POST", "/v2/a/blobs/uploads/?digest=sha256:x", oci.ErrDigestInvalid},
		{"POST", "/v2/a/blobs/uploads/?digest-algorithm=md5", oci.ErrDigestInvalid},
		{"POST", "/v2/a/blobs/uploads/?mount=" + digest + "&from=../b", oci.ErrNameInvalid},
		{"PUT", "/v2/a/blobs/uploads/x?digest=sha256:x", oci.ErrDigestInvalid},
		{"PUT", "/v2/a/manifests/x?tag=-", oci.ErrTagInvalid},
		{"PUT", "/v2/a/manifests/x?tag=" + strings.Repeat("a&tag=", 101) + "a", oci.ErrManifestInvalid},
	} {
		u, err := url.Parse(test.url)
		if err != nil {
			u = &url.URL{Path: test.url}
		}
		if _, err := Parse(test.method, u); !errors.Is(err, test.want) {
			t.Errorf("%s %s: %v, want %v", test.method, test.url, err, test.want)
		}
	}
}

// TestParseClampsPages holds the answer to CVE-2023-2253: whatever number the
// client says, no page is larger than ours.
func TestParseClampsPages(t *testing.T) {
	for raw, want := range map[string]int{"": maxPage, "n=0": 0, "n=7": 7, "n=10001": maxPage, "n=18446744073709551615": maxPage} {
		q, err := parseQuery(ListTags, raw)
		if err != nil || q.N != want {
			t.Errorf("%q: %d, %v, want %d", raw, q.N, err, want)
		}
	}
}

// TestRoutes walks the table: every kind of the API is in it with the right
// that it needs, written here by hand, and the server has a handler for each.
func TestRoutes(t *testing.T) {
	needs := map[string]string{
		"base": "", "repository.list": "", "limit.preview": "",
		"manifest.head": "pull", "manifest.get": "pull", "manifest.put": "push", "manifest.delete": "delete",
		"blob.head": "pull", "blob.get": "pull", "blob.delete": "delete",
		"upload.start": "push", "upload.get": "push", "upload.patch": "push", "upload.put": "push", "upload.cancel": "push",
		"tag.list": "pull", "referrer.list": "pull",
	}
	handlers := New(Config{}).handlers
	var seen []string
	for _, r := range routes {
		if want, ok := needs[r.name]; !ok || r.needs.String() != want {
			t.Errorf("%s %s needs %q, want %q", r.method, r.name, r.needs, want)
		}
		if !r.asks.Has(r.needs) {
			t.Errorf("%s: the challenge offers %q, less than %q", r.name, r.asks, r.needs)
		}
		if handlers[r.kind] == nil {
			t.Errorf("%s has no handler", r.name)
		}
		seen = append(seen, r.name)
	}
	for k := kindNone + 1; k < kindV2End; k++ {
		if !slices.Contains(seen, k.String()) {
			t.Errorf("kind %d is in no route", k)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, path := range []string{
		"/v2/", "/v2/a/b/manifests/latest", "/v2/a/blobs/uploads/?mount=" + digest + "&from=b", "/v2/a/blobs/uploads/x%2f..%2f",
		"/v2/a/tags/list?n=1&last=x", "/v2/a/referrers/" + digest + "?artifactType=a/b", "/v2/../x/manifests/a", "/v2/a%2fb/blobs/" + digest,
		"/v2/_catalog?n=99999999999", "/v2/a/manifests/" + digest + "?tag=a&tag=b",
	} {
		f.Add("GET", path)
		f.Add("POST", path)
		f.Add("PUT", path)
	}
	f.Fuzz(func(t *testing.T, method, raw string) {
		u, err := url.ParseRequestURI(raw)
		if err != nil {
			return
		}
		req, err := Parse(method, u)
		if known := (*oci.Error)(nil); err != nil {
			if !errors.As(err, &known) || known.Status >= 500 {
				t.Fatalf("%s %q: %v", method, raw, err)
			}
			return
		}
		if req.Kind == kindNone || req.Kind >= kindV2End || req.route == nil {
			t.Fatalf("%s %q became kind %d", method, raw, req.Kind)
		}
		if req.Repo != "" && (req.Repo != reference.NameRegexp.FindString(req.Repo) || strings.Contains(req.Repo, "..")) {
			t.Fatalf("%s %q has the repository %q", method, raw, req.Repo)
		}
		if req.Query.N < 0 || req.Query.N > maxPage || len(req.Query.Tags) > maxTags {
			t.Fatalf("%s %q has the query %+v", method, raw, req.Query)
		}
	})
}
