package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/storage"
)

// maxBody bounds a request body in bytes.
const maxBody = 64 << 10

type handler struct {
	accounts Accounts
	log      *slog.Logger
}

// Handler serves /api/v1. It asks for no credentials: the listener decides who
// reaches it.
func Handler(accounts Accounts, log *slog.Logger) http.Handler {
	h := &handler{accounts, log}
	r := chi.NewRouter()
	r.NotFound(h.do(func(http.ResponseWriter, *http.Request) error { return errNoEndpoint }))
	r.MethodNotAllowed(h.do(func(http.ResponseWriter, *http.Request) error { return errNoMethod }))
	r.Get("/api/v1/users", h.do(h.listUsers))
	r.Post("/api/v1/users", h.do(h.addUser))
	r.Delete("/api/v1/users/{name}", h.do(h.removeUser))
	r.Put("/api/v1/users/{name}/password", h.do(h.setPassword))
	return r
}

// Problem is the body of every error.
type Problem struct {
	Error string `json:"error"`
}

// do runs an endpoint and makes its error HTTP; the text of what is not the
// caller's fault stays in the log.
func (h *handler) do(endpoint func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := endpoint(w, r)
		level := slog.LevelInfo
		if err != nil {
			status, text := problem(err)
			if status >= 500 {
				level = slog.LevelError
			}
			_ = reply(w, status, Problem{text})
		}
		attrs := []slog.Attr{slog.String("method", r.Method), slog.String("path", r.URL.Path)}
		if err != nil {
			attrs = append(attrs, slog.String("error", err.Error()))
		}
		h.log.LogAttrs(r.Context(), level, "admin", attrs...)
	}
}

func problem(err error) (status int, text string) {
	switch {
	case errors.Is(err, account.ErrNotFound), errors.Is(err, errNoEndpoint):
		return http.StatusNotFound, err.Error()
	case errors.Is(err, errNoMethod):
		return http.StatusMethodNotAllowed, err.Error()
	case errors.Is(err, account.ErrExists), errors.Is(err, account.ErrStatic), errors.Is(err, account.ErrLastAdmin):
		return http.StatusConflict, err.Error()
	case errors.Is(err, account.ErrInvalid), errors.Is(err, errBody):
		return http.StatusBadRequest, err.Error()
	case errors.Is(err, storage.ErrNoSpace):
		return http.StatusInsufficientStorage, "the registry has no space left"
	case errors.Is(err, storage.ErrUnavailable):
		return http.StatusServiceUnavailable, "the registry takes no changes at the moment: see /readyz and the server's log"
	}
	return http.StatusInternalServerError, "an internal error occurred: see the server's log"
}

var (
	errBody       = errors.New("the body is not what this endpoint takes")
	errNoEndpoint = errors.New("there is no such endpoint")
	errNoMethod   = errors.New("the endpoint does not have this method")
)

// read decodes a body strictly: one document, of known members.
func read[T any](w http.ResponseWriter, r *http.Request) (v T, err error) {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, fmt.Errorf("%w: %w", errBody, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return v, fmt.Errorf("%w: it goes on after its end", errBody)
	}
	return v, nil
}

func reply(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(body, '\n'))
	return err
}
