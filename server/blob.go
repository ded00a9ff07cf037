package server

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/registry"
	"github.com/berth-registry/berth/storage"
)

// immutable is for what is addressed by its digest: any private cache may
// keep it for a year.
const immutable = "private, max-age=31536000, immutable"

// headBlob answers end-2 without touching the bytes.
func (s *Server) headBlob(w http.ResponseWriter, r *http.Request, c call) error {
	b, err := s.registry.Blob(r.Context(), c.Repo, c.Digest)
	if err != nil {
		return err
	}
	setBlobHeaders(w.Header(), b)
	if notModified(r, b.Digest) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	w.Header().Set("Content-Length", strconv.FormatInt(b.Size, 10))
	w.WriteHeader(http.StatusOK)
	return nil
}

// getBlob serves end-2. A manifest that is asked for as a blob is a pull all
// the same: it is counted first, and given back if it is not served.
func (s *Server) getBlob(w http.ResponseWriter, r *http.Request, c call) error {
	b, err := s.registry.Blob(r.Context(), c.Repo, c.Digest)
	if err != nil {
		return err
	}
	if !s.counts(b.Pull) {
		_, err := s.serveBlob(w, r, b)
		return err
	}
	d, err := s.pull(w, r, c)
	if err != nil {
		return err
	}
	status, err := s.serveBlob(w, r, b)
	if status != http.StatusOK && status != http.StatusPartialContent {
		s.giveBack(r, c, d)
		return err
	}
	s.pulled(c, b.Digest)
	return err
}

// serveBlob answers with the bytes: ranges, If-Range and If-None-Match are
// http.ServeContent's, and so is sendfile where the bytes are a file. The
// status is 0 if it has not answered.
func (s *Server) serveBlob(w http.ResponseWriter, r *http.Request, b registry.Blob) (status int, err error) {
	content, err := s.registry.Open(r.Context(), b)
	if err != nil {
		return 0, err
	}
	defer content.Close()
	setBlobHeaders(w.Header(), b)
	out := &contentWriter{ResponseWriter: w, now: s.now}
	if f, ok := content.(storage.Filer); ok {
		http.ServeContent(out, r, "", time.Time{}, f.File())
	} else {
		http.ServeContent(out, r, "", time.Time{}, content)
	}
	return out.status, out.refused
}

// contentWriter keeps back the plain text by which http.ServeContent refuses,
// so that a 412 and a 416 have a body like every other error.
type contentWriter struct {
	http.ResponseWriter
	now     func() time.Time
	status  int // 0 if it was refused
	refused error
}

func (w *contentWriter) WriteHeader(status int) {
	switch {
	case status >= 500:
		w.refused = fmt.Errorf("serve content: status %d", status)
	case status >= 400:
		w.refused = &oci.Error{Code: oci.ErrUnsupported.Code, Status: status, Message: "the blob cannot be served as the request wants it"}
	default:
		w.status = status
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *contentWriter) Write(p []byte) (int, error) {
	if w.refused != nil {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// ReadFrom implements io.ReaderFrom, for sendfile.
func (w *contentWriter) ReadFrom(src io.Reader) (int64, error) {
	return send(w.ResponseWriter, src, w.now)
}

func setBlobHeaders(h http.Header, b registry.Blob) {
	h["Content-Type"] = octetStream
	h["Accept-Ranges"] = acceptRanges
	h["Cache-Control"] = cacheImmutable
	setDigest(h, b.Digest)
}

// Header values that never change, so that they cost no allocation.
var (
	octetStream    = []string{"application/octet-stream"}
	acceptRanges   = []string{"bytes"}
	cacheImmutable = []string{immutable}
)

// setDigest names the content: Docker-Content-Digest for registry clients, a
// strong ETag for everybody else.
func setDigest(h http.Header, d oci.Digest) {
	values := [...]string{string(d), `"` + string(d) + `"`}
	h["Docker-Content-Digest"], h["Etag"] = values[0:1:1], values[1:2:2]
}

func (s *Server) deleteBlob(w http.ResponseWriter, r *http.Request, c call) error {
	if err := s.registry.DeleteBlob(r.Context(), c.Repo, c.Digest); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}
