package server_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzRequest sends requests through the whole of a small registry. Whatever
// a client does, it is no failure of the server: no panic, no 5xx, and every
// refusal on /v2 is an error as the specification has it.
func FuzzRequest(f *testing.F) {
	// One stack per process: what requests leave behind is input for the next.
	s := newStack(f, settings{sparse: []string{"alice/**"}, maxManifest: 4096, maxBlob: 1 << 16, maxSessions: 50})
	d := s.blob("alice/app", tenBytes)
	s.manifest("alice/app", "v1", image("config"))
	for _, seed := range fuzzSeeds() {
		f.Add(seed.method, seed.path, seed.ranges, seed.contentRange, seed.contentType, seed.authorization, []byte(seed.body))
	}
	f.Fuzz(func(t *testing.T, method, path, ranges, contentRange, contentType, authorization string, body []byte) {
		path = strings.NewReplacer("{blob}", d, "{session}", s.session[strings.LastIndexByte(s.session, '/')+1:]).Replace(path)
		u, err := url.ParseRequestURI(path)
		if err != nil || method == "" || method == http.MethodConnect || strings.ContainsFunc(method, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return // net/http has refused it
		}
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", bytes.NewReader(body))
		req.Method, req.URL, req.RequestURI = method, u, path
		if len(body)%2 == 1 {
			req.ContentLength, req.Body = -1, io.NopCloser(bytes.NewReader(body))
		}
		for k, v := range map[string]string{"Range": ranges, "Content-Range": contentRange, "Content-Type": contentType} {
			if v != "" {
				req.Header.Set(k, v)
			}
		}
		switch authorization {
		case "alice", "root":
			req.SetBasicAuth(authorization, password)
		case "":
		default:
			req.Header.Set("Authorization", authorization)
		}
		rec := httptest.NewRecorder()
		s.handler.ServeHTTP(rec, req)
		if at := rec.Header().Get("Location"); strings.Contains(at, "/uploads/") {
			s.session = at
		}
		if rec.Code >= 500 || rec.Code < 200 {
			t.Fatalf("%s %q: %d %s", method, path, rec.Code, rec.Body)
		}
		if v2 := u.Path == "/v2" || strings.HasPrefix(u.Path, "/v2/"); v2 && rec.Code >= 400 {
			if err := ociError(rec.Code, rec.Header(), rec.Body.String(), http.MethodGet); err != nil {
				t.Fatalf("%s %q: %v", method, path, err)
			}
		}
	})
}

type seed struct {
	method, path, ranges, contentRange, contentType, authorization, body string
}

func fuzzSeeds() []seed {
	const repo = "/v2/alice/app/"
	d := digestOf(tenBytes)
	form := passwordForm("alice", password, "repository:alice/app:pull").Encode()
	return []seed{
		{method: "GET", path: "/v2/"},
		{method: "GET", path: "/v2/", authorization: "alice"},
		{method: "GET", path: "/v2/", authorization: "Bearer eyJhbGciOiJub25lIn0.e30."},
		{method: "GET", path: "/v2/", authorization: "Basic Og=="},
		{method: "GET", path: "/v2/_catalog?n=1&last=~AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", authorization: "alice"},
		{method: "GET", path: "/v2/_catalog?n=99999999999999999999", authorization: "root"},
		{method: "HEAD", path: repo + "manifests/v1", authorization: "alice"},
		{method: "GET", path: repo + "manifests/" + digestOf(image("config")), authorization: "alice"},
		{method: "PUT", path: repo + "manifests/v2?tag=a&tag=b", contentType: imageType, authorization: "alice", body: image("config", "layer")},
		{method: "PUT", path: repo + "manifests/v3", contentType: indexType, authorization: "alice", body: index(image("config"), index())},
		{method: "PUT", path: repo + "manifests/v4", contentType: "application/json; charset", authorization: "alice", body: artifact(sbomType, image("config"), "x")},
		{method: "PUT", path: repo + "manifests/v5", contentType: "a/b", authorization: "alice", body: `{"layers":[{"digest":"sha256:x","size":-1}],"subject":null}`},
		{method: "DELETE", path: repo + "manifests/v2", authorization: "alice"},
		{method: "DELETE", path: repo + "manifests/" + digestOf(image("config")), authorization: "alice"},
		{method: "GET", path: repo + "blobs/{blob}", ranges: "bytes=0-3,5-,-1", authorization: "alice"},
		{method: "GET", path: repo + "blobs/{blob}", ranges: "bytes=99-", authorization: "alice"},
		{method: "GET", path: repo + "blobs/{blob}", ranges: "bytes=-9223372036854775808", authorization: "alice"},
		{method: "HEAD", path: repo + "blobs/sha256%3A" + d[7:], authorization: "alice"},
		{method: "DELETE", path: repo + "blobs/" + d, authorization: "alice"},
		{method: "POST", path: repo + "blobs/uploads/", authorization: "alice"},
		{method: "POST", path: repo + "blobs/uploads/?digest=" + d, authorization: "alice", body: tenBytes},
		{method: "POST", path: repo + "blobs/uploads/?mount=" + d + "&from=alice/app", authorization: "alice"},
		{method: "POST", path: repo + "blobs/uploads/?digest-algorithm=sha512&digest=", authorization: "alice"},
		{method: "GET", path: repo + "blobs/uploads/{session}", authorization: "alice"},
		{method: "PATCH", path: repo + "blobs/uploads/{session}", contentRange: "0-3", authorization: "alice", body: "0123"},
		{method: "PATCH", path: repo + "blobs/uploads/{session}", contentRange: "bytes 4611686018427387900-4611686018427387903/*", authorization: "alice", body: "x"},
		{method: "PATCH", path: repo + "blobs/uploads/{session}", contentRange: "0-0", authorization: "alice", body: "xyz"},
		{method: "PUT", path: repo + "blobs/uploads/{session}?digest=" + d, authorization: "alice", body: tenBytes},
		{method: "PUT", path: repo + "blobs/uploads/{session}?digest=" + sha512Of("x"), contentRange: "10-", authorization: "alice"},
		{method: "DELETE", path: repo + "blobs/uploads/{session}", authorization: "alice"},
		{method: "GET", path: repo + "tags/list?n=1&last=%00%ff", authorization: "alice"},
		{method: "GET", path: repo + "referrers/" + digestOf(image("config")) + "?artifactType=a&n=1&last=" + d, authorization: "alice"},
		{method: "GET", path: repo + "tags/list?ns=docker.io\xff", authorization: "alice"},
		{method: "GET", path: "/v2/../../etc/passwd/manifests/%2e%2e", authorization: "root"},
		{method: "GET", path: "/v2/a%2fb//c/blobs/uploads/%00", authorization: "root"},
		{method: "BREW", path: "/v2/alice/app/tags/list", authorization: "alice"},
		{method: "OPTIONS", path: "*"},
		{method: "GET", path: "/token?scope=repository(x):a/b:pull&scope=%20&service=x", authorization: "alice"},
		{method: "POST", path: "/token", contentType: "application/x-www-form-urlencoded", body: form},
		{method: "POST", path: "/token", contentType: "multipart/form-data; boundary=x", body: "--x"},
		{method: "GET", path: "/v1/search?q=%ff&n=1", authorization: "alice"},
		{method: "GET", path: "/readyz"},
		{method: "GET", path: "http://other/v2/"},
	}
}
