package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/internal/httpx"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/registry"
	"github.com/berth-registry/berth/storage"
)

// statusClientGone is what the log says of a request whose client went away
// before the answer. It is never sent.
const statusClientGone = 499

// challengeError is a 401 with the challenge that says how to do better.
type challengeError struct {
	challenge auth.Challenge
}

func (e *challengeError) Error() string   { return e.challenge.Err.Error() }
func (e *challengeError) Unwrap() []error { return []error{oci.ErrUnauthorized, e.challenge.Err} }

// refusal is what auth refused: what the client is told, and why it was.
type refusal struct {
	told  *oci.Error
	cause error
}

func (e *refusal) Error() string   { return e.cause.Error() }
func (e *refusal) Unwrap() []error { return []error{e.told, e.cause} }

// clientGone marks a failure to write the response: nobody is left to be
// told.
func clientGone(err error) error {
	if err == nil {
		return nil
	}
	return &registry.ReadError{Err: err}
}

// writeError makes an error HTTP: header, status, body, in that order, and
// this is the only place that does. Only an *oci.Error is told to the client;
// the text of anything else stays in the log.
func (s *Server) writeError(w *httpx.Recorder, err error) {
	if w.Status != 0 {
		return // too late: the answer has begun
	}
	h := w.Header()
	if gone := (*registry.ReadError)(nil); errors.As(err, &gone) || errors.Is(err, context.Canceled) {
		w.Status = statusClientGone
		h.Set("Connection", "close")
		err = oci.ErrBadRequest.With("the request could not be read to its end") // for who is still there: its chunks were nonsense, or too slow
	}
	e := told(err)
	if c := (*challengeError)(nil); errors.As(err, &c) {
		h.Set("WWW-Authenticate", c.challenge.String())
		e = e.Because(c.Error())
	}
	if m := (*methodError)(nil); errors.As(err, &m) {
		h.Set("Allow", m.allow)
	}
	setRetry(h, e, err)
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Del("Content-Length")
	h.Del("Etag")
	h.Del("Cache-Control")
	w.WriteHeader(e.Status)
	_, _ = w.Write(errorBody(e))
}

// setRetry says when to come back, if that is soon.
func setRetry(h http.Header, e *oci.Error, err error) {
	limit := (*limitError)(nil)
	switch {
	case errors.As(err, &limit) && limit.wait <= longestRetry:
		h.Set("Retry-After", strconv.FormatInt(seconds(limit.wait), 10))
	case limit == nil && (e.Status == http.StatusServiceUnavailable || e.Status == http.StatusTooManyRequests):
		h.Set("Retry-After", strconv.Itoa(auth.RetryAfter(err)))
	}
}

// told is what the client hears of an error.
func told(err error) *oci.Error {
	e := (*oci.Error)(nil)
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, storage.ErrNoSpace): // of whichever store
		return oci.ErrStorageFull
	case errors.Is(err, storage.ErrUnavailable):
		return oci.ErrUnavailable
	}
	return oci.ErrUnknown
}

// errorBody is the specification's "Error Codes" object.
func errorBody(e *oci.Error) []byte {
	type entry struct {
		Code    oci.Code `json:"code"`
		Message string   `json:"message"`
		Detail  any      `json:"detail,omitempty"`
	}
	body, err := json.Marshal(struct {
		Errors []entry `json:"errors"`
	}{[]entry{{e.Code, e.Message, e.Detail}}})
	if err != nil {
		return []byte(`{"errors":[{"code":"UNKNOWN","message":"an internal error occurred"}]}`)
	}
	return append(body, '\n')
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(body)
	return clientGone(err)
}
