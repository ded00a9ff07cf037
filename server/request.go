package server

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/berth-registry/berth/oci"
)

// Request is a request of the distribution API, parsed: what it names is
// valid, though it need not exist.
type Request struct {
	Kind      Kind
	Repo      string        // every kind but GetBase and ListRepositories
	Reference oci.Reference // manifests
	Digest    oci.Digest    // blobs; the subject of referrers
	Session   string        // upload sessions: whatever the client sent
	Query     Query
	route     *route
}

// Parse reads a request of the distribution API from its method and URL
// alone. It works on the escaped path, so that %2f, %2e and the like cannot
// change what a path names. Errors: 404 where there is no such endpoint, 405
// where it has not that method, 400 NAME_INVALID, DIGEST_INVALID or
// MANIFEST_INVALID where a part breaks the grammar.
func Parse(method string, u *url.URL) (Request, error) {
	path, ok := strings.CutPrefix(u.EscapedPath(), "/v2")
	if !ok || path != "" && path[0] != '/' {
		return Request{}, oci.ErrNotFound
	}
	n, repo, last, err := split(strings.TrimPrefix(path, "/"))
	if err != nil {
		return Request{}, err
	}
	if n == manifest && method == http.MethodHead && repo == previewRepo && last == previewTag {
		n = preview
	}
	rt := find(n, method)
	if rt == nil {
		return Request{}, methodNotAllowed(n)
	}
	req := Request{Kind: rt.kind, route: rt}
	if n != base && n != catalog {
		if req.Repo, err = oci.ParseRepository(repo); err != nil {
			return Request{}, err
		}
	}
	if err := req.name(n, last); err != nil {
		return Request{}, err
	}
	req.Query, err = parseQuery(req.Kind, u.RawQuery)
	return req, err
}

// The manifest by which Docker documents how to see what is left of the pull
// limit. It answers for whoever asks, and to HEAD only.
const (
	previewRepo = "ratelimitpreview/test"
	previewTag  = "latest"
)

// split takes a path below /v2/ apart, from its end: repository names may
// contain every word that the endpoints use.
func split(path string) (n noun, repo, last string, err error) {
	switch path {
	case "":
		return base, "", "", nil
	case "_catalog":
		return catalog, "", "", nil
	}
	rest, last := cutLast(path)
	repo, word := cutLast(rest)
	switch {
	case word == "manifests":
		return manifest, repo, last, nil
	case word == "referrers":
		return referrers, repo, last, nil
	case word == "tags" && last == "list":
		return tags, repo, "", nil
	case word == "blobs" && last == "uploads":
		return uploads, repo, "", nil
	case word == "blobs":
		return blob, repo, last, nil
	}
	if repo, before := cutLast(repo); before == "blobs" && word == "uploads" {
		if last == "" {
			return uploads, repo, "", nil
		}
		return upload, repo, last, nil
	}
	return 0, "", "", oci.ErrNotFound
}

// cutLast cuts s at its last slash.
func cutLast(s string) (before, after string) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return "", s
	}
	return s[:i], s[i+1:]
}

// name fills in what the last part of the path names.
func (req *Request) name(n noun, last string) (err error) {
	if strings.IndexByte(last, '%') >= 0 {
		if last, err = url.PathUnescape(last); err != nil { // some clients send sha256%3a...
			return oci.ErrNotFound
		}
	}
	switch n {
	case manifest, preview:
		req.Reference, err = oci.ParseReference(last)
	case blob, referrers:
		req.Digest, err = oci.ParseDigest(last)
	case upload:
		req.Session = last
	}
	return err
}

// methodNotAllowed is the 405 that names the methods a noun has (RFC 9110,
// section 15.5.6).
func methodNotAllowed(n noun) error {
	var allow []string
	for i := range routes {
		if routes[i].noun == n {
			allow = append(allow, routes[i].method)
		}
	}
	return &methodError{allow: strings.Join(allow, ", ")}
}

// methodError is a 405 with its Allow header.
type methodError struct{ allow string }

func (e *methodError) Error() string { return "method not allowed" }
func (e *methodError) Unwrap() error { return oci.ErrUnsupported }
