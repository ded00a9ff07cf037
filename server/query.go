package server

import (
	"net/url"
	"strconv"

	"github.com/berth-registry/berth/oci"
)

// maxPage is the largest page of a listing, and the page of whoever asks for
// none: older clients read one page and take it for all.
const maxPage = 10_000

// maxTags bounds the tags that one push may set; the specification asks for
// at least 10.
const maxTags = 100

// Query is what the query of a request says, as far as its kind has a use
// for it. The rest is ignored, as the specification wants.
type Query struct {
	N            int           // page size, at most maxPage
	Last         string        // listings: go on after this
	ArtifactType string        // referrers: the filter
	Tags         []string      // manifest.put: more tags to set
	Digest       oci.Digest    // uploads: the digest of the whole blob
	Algorithm    oci.Algorithm // upload.start: of the digest to come
	Mount        oci.Digest    // upload.start: mount this instead
	From         string        // upload.start: the repository to mount from
	Namespace    string        // the upstream that containerd means by ns=
}

func parseQuery(k Kind, raw string) (Query, error) {
	q := Query{N: maxPage}
	if raw == "" {
		return q, nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, oci.ErrBadRequest.With("the query cannot be read")
	}
	q.Namespace = values.Get("ns")
	switch k {
	case ListTags, ListRepositories, ListReferrers:
		err = q.page(values)
	case PutManifest:
		err = q.tags(values["tag"])
	case StartUpload:
		err = q.start(values)
	case PutUpload:
		q.Digest, err = optional(values.Get("digest"), oci.ParseDigest)
	}
	return q, err
}

func (q *Query) page(values url.Values) error {
	q.Last = values.Get("last")
	q.ArtifactType = values.Get("artifactType")
	if !values.Has("n") {
		return nil
	}
	n, err := strconv.ParseUint(values.Get("n"), 10, 64)
	if err != nil {
		return oci.ErrBadRequest.With("n is not a number of entries")
	}
	q.N = int(min(n, maxPage)) // clamped, not refused (CVE-2023-2253)
	return nil
}

func (q *Query) tags(names []string) error {
	if len(names) > maxTags {
		return oci.ErrManifestInvalid.With("too many tags for one push")
	}
	for _, name := range names {
		tag, err := oci.ParseTag(name)
		if err != nil {
			return err
		}
		q.Tags = append(q.Tags, tag)
	}
	return nil
}

func (q *Query) start(values url.Values) (err error) {
	if q.Digest, err = optional(values.Get("digest"), oci.ParseDigest); err != nil {
		return err
	}
	if q.Mount, err = optional(values.Get("mount"), oci.ParseDigest); err != nil {
		return err
	}
	if q.From, err = optional(values.Get("from"), oci.ParseRepository); err != nil {
		return err
	}
	q.Algorithm, err = optional(values.Get("digest-algorithm"), oci.ParseAlgorithm)
	return err
}

// optional parses s unless it is empty.
func optional[T any](s string, parse func(string) (T, error)) (v T, err error) {
	if s == "" {
		return v, nil
	}
	return parse(s)
}
