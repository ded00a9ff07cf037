package server

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/registry"
)

// startUpload serves POST uploads/: a mount (end-11), a whole blob (end-4b),
// or a new session (end-4a). A mount that cannot be becomes a session, and
// tells nothing of whether the blob exists.
func (s *Server) startUpload(w http.ResponseWriter, r *http.Request, c call) error {
	switch q := c.Query; {
	case q.Mount != "":
		b, err := s.mount(r, c)
		if err == nil {
			return created(w, c.Repo, b)
		}
		if !errors.Is(err, oci.ErrBlobUnknown) {
			return err
		}
	case q.Digest != "":
		b, err := s.registry.PushBlob(r.Context(), c.Repo, q.Digest, max(r.ContentLength, 0), s.body(w, r))
		if err != nil {
			return err
		}
		return created(w, c.Repo, b)
	}
	u, err := s.registry.StartUpload(r.Context(), c.Repo, c.who.ID(), c.Query.Algorithm)
	if err != nil {
		return err
	}
	return accepted(w, u)
}

// mount judges its source by the live grants of the principal: the token at
// hand was asked for before the client thought of the source.
func (s *Server) mount(r *http.Request, c call) (registry.Blob, error) {
	return s.registry.Mount(r.Context(), c.Repo, c.Query.From, c.Query.Mount, func(repo string) bool {
		return s.mayPull(c.who, repo)
	})
}

func sessionID(c call) registry.SessionID {
	return registry.SessionID{Repo: c.Repo, Principal: c.who.ID(), ID: c.Session}
}

// getUpload answers end-13.
func (s *Server) getUpload(w http.ResponseWriter, r *http.Request, c call) error {
	u, err := s.registry.Upload(r.Context(), sessionID(c))
	if err != nil {
		return err
	}
	setSession(w.Header(), u)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// patchUpload takes a chunk, end-5, with a Content-Range or as a stream.
func (s *Server) patchUpload(w http.ResponseWriter, r *http.Request, c call) error {
	chunk, err := s.chunk(w, r)
	if err != nil {
		return err
	}
	u, err := s.registry.AppendUpload(r.Context(), sessionID(c), chunk)
	if err != nil {
		return withSession(w, u, err)
	}
	return accepted(w, u)
}

// putUpload ends an upload, end-6, with or without a last chunk.
func (s *Server) putUpload(w http.ResponseWriter, r *http.Request, c call) error {
	if c.Query.Digest == "" {
		return oci.ErrDigestInvalid.With("the parameter digest is missing")
	}
	chunk, err := s.chunk(w, r)
	if err != nil {
		return err
	}
	b, u, err := s.registry.FinishUpload(r.Context(), sessionID(c), chunk, c.Query.Digest)
	if err != nil {
		return withSession(w, u, err)
	}
	return created(w, c.Repo, b)
}

// cancelUpload serves end-14.
func (s *Server) cancelUpload(w http.ResponseWriter, r *http.Request, c call) error {
	if err := s.registry.CancelUpload(r.Context(), sessionID(c)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) chunk(w http.ResponseWriter, r *http.Request) (registry.Chunk, error) {
	c := registry.Chunk{Body: s.body(w, r), Start: -1, Length: -1}
	value := r.Header.Get("Content-Range")
	if value == "" {
		return c, nil
	}
	start, length, err := parseContentRange(value)
	if err != nil {
		return c, err
	}
	if r.ContentLength >= 0 && r.ContentLength != length {
		return c, oci.ErrSizeInvalid.With("Content-Range and Content-Length differ")
	}
	c.Start, c.Length = start, length
	return c, nil
}

func created(w http.ResponseWriter, repo string, b registry.Blob) error {
	h := w.Header()
	h.Set("Location", "/v2/"+repo+"/blobs/"+string(b.Digest))
	h.Set("Docker-Content-Digest", string(b.Digest))
	w.WriteHeader(http.StatusCreated)
	return nil
}

func accepted(w http.ResponseWriter, u registry.Session) error {
	setSession(w.Header(), u)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// setSession says where the upload is and how far. An empty one is 0-0 like a
// single byte: the specification has no other word and docker relies on it.
func setSession(h http.Header, u registry.Session) {
	h.Set("Location", "/v2/"+u.Repo+"/blobs/uploads/"+u.ID)
	h.Set("Docker-Upload-UUID", u.ID)
	h.Set("Range", "0-"+strconv.FormatInt(max(u.Size-1, 0), 10))
}

// withSession tells the client of a failed chunk where to go on, if its
// session is still there.
func withSession(w http.ResponseWriter, u registry.Session, err error) error {
	if errors.Is(err, oci.ErrUploadRange) {
		setSession(w.Header(), u)
	}
	return err
}
