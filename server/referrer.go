package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/berth-registry/berth/oci"
)

// maxReferrers is the size of a page of referrers in bytes: what a client
// must be able to read of a manifest, which is what the answer is.
const maxReferrers = 4<<20 - 1024

// maxReferrersScan bounds the bytes of the entries that one page looks at.
const maxReferrersScan = 4 * maxReferrers

// maxScan bounds how many entries one page of a filtered listing looks at.
const maxScan = 10_000

// listReferrers answers end-12a and end-12b: always an index, empty if there
// is nothing, in pages of at most 4 MiB.
func (s *Server) listReferrers(w http.ResponseWriter, r *http.Request, c call) error {
	after, err := optional(c.Query.Last, oci.ParseDigest)
	if err != nil {
		return err
	}
	page, last, more, err := s.referrers(r, c, after)
	if err != nil {
		return err
	}
	h := w.Header()
	if filter := c.Query.ArtifactType; filter != "" {
		h.Set("OCI-Filters-Applied", "artifactType")
	}
	if more {
		query := url.Values{"last": {string(last)}, "n": {strconv.Itoa(c.Query.N)}}
		if c.Query.ArtifactType != "" {
			query.Set("artifactType", c.Query.ArtifactType)
		}
		setNext(h, "/v2/"+c.Repo+"/referrers/"+string(c.Digest), query)
	}
	h["Content-Type"] = []string{oci.MediaTypeImageIndex}
	w.WriteHeader(http.StatusOK)
	_, err = w.Write(page)
	return clientGone(err)
}

// referrers writes one page. Last is the last entry looked at, shown or not.
func (s *Server) referrers(r *http.Request, c call, after oci.Digest) (page []byte, last oci.Digest, more bool, err error) {
	var b bytes.Buffer
	b.WriteString(`{"schemaVersion":2,"mediaType":"` + oci.MediaTypeImageIndex + `","manifests":[`)
	if c.Query.N == 0 {
		b.WriteString("]}")
		return b.Bytes(), "", false, nil
	}
	shown, scanned, size := 0, 0, 0
	for d, err := range s.registry.Referrers(r.Context(), c.Repo, c.Digest, after) {
		if err != nil {
			return nil, "", false, err
		}
		if scanned == maxScan || size > maxReferrersScan || shown == c.Query.N {
			more = true
			break
		}
		size += weight(d)
		if c.Query.ArtifactType == "" || c.Query.ArtifactType == d.ArtifactType {
			entry, err := json.Marshal(d)
			if err != nil {
				return nil, "", false, err
			}
			if shown > 0 && b.Len()+len(entry) > maxReferrers {
				more = true
				break
			}
			if shown > 0 {
				b.WriteByte(',')
			}
			b.Write(entry)
			shown++
		}
		scanned++
		last = d.Digest
	}
	b.WriteString("]}")
	return b.Bytes(), last, more, nil
}

// weight is about the bytes that a descriptor takes.
func weight(d oci.Descriptor) int {
	n := 256
	for name, value := range d.Annotations {
		n += len(name) + len(value)
	}
	return n
}
