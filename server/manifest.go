package server

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/registry"
)

// headManifest answers end-3 from the header alone. It is no pull.
func (s *Server) headManifest(w http.ResponseWriter, r *http.Request, c call) error {
	m, err := s.registry.Manifest(r.Context(), c.Repo, c.Reference, false)
	if err != nil {
		return err
	}
	s.look(w, r, c)
	s.checked(c, m.Digest)
	startManifest(w, r, c, m)
	return nil
}

// getManifest serves end-3. Accept is not looked at: what is stored is
// served, since a 404 for a manifest that exists helps nobody. What is stored
// also says whether this is a pull: what is absent, free, or known to the
// client already is answered when nothing is left, too.
func (s *Server) getManifest(w http.ResponseWriter, r *http.Request, c call) error {
	m, err := s.registry.Manifest(r.Context(), c.Repo, c.Reference, true)
	switch {
	case err != nil:
		return err
	case notModified(r, m.Digest):
		s.look(w, r, c)
		s.checked(c, m.Digest)
		startManifest(w, r, c, m)
		return nil
	case !s.counts(m.Pull):
		s.look(w, r, c)
		startManifest(w, r, c, m)
		_, err = w.Write(m.Bytes)
		return clientGone(err)
	}
	d, err := s.pull(w, r, c)
	if err != nil {
		return err
	}
	startManifest(w, r, c, m)
	if _, err := w.Write(m.Bytes); err != nil {
		s.giveBack(r, c, d)
		return clientGone(err)
	}
	s.pulled(c, m.Digest)
	return nil
}

// startManifest writes the header, of a 304 if the client has the manifest.
func startManifest(w http.ResponseWriter, r *http.Request, c call, m registry.Manifest) {
	h := w.Header()
	setDigest(h, m.Digest)
	if c.Reference.Digest != "" {
		h["Cache-Control"] = cacheImmutable
	}
	if notModified(r, m.Digest) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	values := [...]string{m.MediaType, strconv.FormatInt(m.Size, 10)}
	h["Content-Type"], h["Content-Length"] = values[0:1:1], values[1:2:2]
	h["X-Content-Type-Options"] = nosniff
	w.WriteHeader(http.StatusOK)
}

var nosniff = []string{"nosniff"}

// notModified reports whether If-None-Match has the digest (RFC 9110, section
// 13.1.2).
func notModified(r *http.Request, d oci.Digest) bool {
	for _, line := range r.Header["If-None-Match"] {
		for tag := range strings.SplitSeq(line, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if tag == "*" || len(tag) == len(d)+2 && tag[1:len(tag)-1] == string(d) {
				return true
			}
		}
	}
	return false
}

// putManifest stores end-7a and end-7b.
func (s *Server) putManifest(w http.ResponseWriter, r *http.Request, c call) error {
	body, err := readManifest(w, r, s.maxManifest)
	if err != nil {
		return err
	}
	m, err := s.registry.PushManifest(r.Context(), registry.Push{
		Repo:        c.Repo,
		Reference:   c.Reference,
		Tags:        c.Query.Tags,
		ContentType: r.Header.Get("Content-Type"),
		Bytes:       body,
	})
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Location", "/v2/"+c.Repo+"/manifests/"+string(m.Digest))
	h.Set("Docker-Content-Digest", string(m.Digest))
	if m.Subject != nil {
		h.Set("OCI-Subject", string(m.Subject.Digest))
	}
	for _, tag := range c.Query.Tags {
		h.Add("OCI-Tag", tag)
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

// readManifest reads at most limit bytes: what the client says about the
// length is not what is allocated.
func readManifest(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	var body bytes.Buffer
	_, err := io.Copy(&body, http.MaxBytesReader(w, r.Body, limit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, oci.ErrManifestTooLarge
	}
	if err != nil {
		return nil, &registry.ReadError{Err: err}
	}
	return body.Bytes(), nil
}

func (s *Server) deleteManifest(w http.ResponseWriter, r *http.Request, c call) error {
	if err := s.registry.DeleteManifest(r.Context(), c.Repo, c.Reference); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}
