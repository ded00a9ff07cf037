package differential

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// op is what a step asks for; the table of deviations goes by it. The words
// are those of package server's request kinds.
type op string

const (
	base           op = "base"
	manifestHead   op = "manifest.head"
	manifestGet    op = "manifest.get"
	manifestPut    op = "manifest.put"
	manifestDelete op = "manifest.delete"
	blobHead       op = "blob.head"
	blobGet        op = "blob.get"
	blobDelete     op = "blob.delete"
	uploadStart    op = "upload.start"
	uploadGet      op = "upload.get"
	uploadPatch    op = "upload.patch"
	uploadPut      op = "upload.put"
	uploadCancel   op = "upload.cancel"
	tagList        op = "tag.list"
	referrerList   op = "referrer.list"
	catalog        op = "repository.list"
	route          op = "route" // a path or method that is no request of the API
)

// step is one request, the same for both registries. It is a value: what it
// names is fixed when it is made, but for the upload session.
type step struct {
	op     op
	shape  []string // what is special about it, in the words of labels_test.go
	method string
	repo   string
	ref    string // manifests and blobs: the tag or digest of the path
	path   string // empty: that of the session
	query  string
	header http.Header
	body   []byte

	chunked bool // the body has no Content-Length
	opens   int  // the number that the session of a 202 gets
	session int  // the session to go to, by that number
	address address
}

// address is how a step writes the URL of its session.
type address int

const (
	latest address = iota // the Location of the last answer
	first                 // that of the first, though there were later ones
	byHand                // path only, as a client that remembers the UUID
)

func (s step) is(label string) bool { return slices.Contains(s.shape, label) }

// as returns s with more labels.
func (s step) as(labels ...string) step {
	s.shape = append(slices.Clone(s.shape), labels...)
	return s
}

// with returns s with a header added.
func (s step) with(name, value string) step {
	if s.header = s.header.Clone(); s.header == nil {
		s.header = http.Header{}
	}
	s.header.Add(name, value)
	return s
}

// asking returns s with a query.
func (s step) asking(query string) step {
	s.query = query
	return s
}

// unknownSession is the UUID that a step goes to whose session was never
// opened.
const unknownSession = "6d6f6f72-0000-4000-8000-626572746800"

// target is the path and query of the step at one registry.
func (s step) target(at *side) string {
	query := url.Values{}
	p := s.path
	if p == "" {
		id := unknownSession
		if u, err := url.Parse(at.location(s)); err == nil && u.Path != "" {
			id = path.Base(u.Path)
			if s.address != byHand {
				query = u.Query()
			}
		}
		p = "/v2/" + s.repo + "/blobs/uploads/" + id
	}
	q := query.Encode()
	switch {
	case q == "":
		q = s.query
	case s.query != "":
		q += "&" + s.query
	}
	if q != "" {
		p += "?" + q
	}
	return p
}

func (at *side) location(s step) string {
	known := at.sessions[s.session]
	if s.address == first {
		return known.first
	}
	return known.latest
}

func (s step) request(at *side) (*http.Request, error) {
	var body io.Reader
	if s.body != nil {
		body = bytes.NewReader(s.body)
	}
	if s.chunked {
		body = io.MultiReader(body) // hides the length
	}
	r, err := http.NewRequestWithContext(context.Background(), s.method, at.http.URL+s.target(at), body)
	if err != nil {
		return nil, err
	}
	for name, values := range s.header {
		r.Header[name] = slices.Clone(values)
	}
	return r, nil
}

// String writes the step as a line of a reproduction.
func (s step) String() string {
	var b strings.Builder
	target := s.path
	if target == "" {
		target = fmt.Sprintf("/v2/%s/blobs/uploads/<session %d>", s.repo, s.session)
	}
	if s.query != "" {
		target += "?" + s.query
	}
	fmt.Fprintf(&b, "%s %s", s.method, target)
	for _, name := range slices.Sorted(maps.Keys(s.header)) {
		fmt.Fprintf(&b, " | %s: %s", name, strings.Join(s.header[name], ", "))
	}
	if s.body != nil {
		fmt.Fprintf(&b, " | %s", excerpt(s.body))
	}
	if s.chunked {
		b.WriteString(" (chunked)")
	}
	if s.opens != 0 {
		fmt.Fprintf(&b, " -> session %d", s.opens)
	}
	if len(s.shape) > 0 {
		fmt.Fprintf(&b, "   # %s", strings.Join(s.shape, ", "))
	}
	return b.String()
}

// excerpt shows bytes to people.
func excerpt(b []byte) string {
	const most = 1200
	var line bytes.Buffer
	switch {
	case !utf8.Valid(b):
		return fmt.Sprintf("%d bytes", len(b))
	case json.Compact(&line, b) == nil && line.Len() <= most:
		return line.String()
	case len(b) > most:
		return fmt.Sprintf("%d bytes: %s...", len(b), b[:most/4])
	}
	return string(b)
}
