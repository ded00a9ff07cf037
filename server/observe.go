package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/berth-registry/berth/internal/httpx"
	"github.com/berth-registry/berth/oci"
)

// endpoint serves a request and returns what the log should know of it.
type endpoint func(w http.ResponseWriter, r *http.Request) (call, error)

// observed wraps an endpoint of a kind (kindNone: the endpoint finds out)
// with everything that all have in common: errors become HTTP, a panic
// becomes a 500, and the audit trail, one line in the log and one count in the
// metrics say what happened.
func (s *Server) observed(k Kind, next endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start := s.now()
		rec := &httpx.Recorder{ResponseWriter: w, Head: r.Method == http.MethodHead}
		body := httpx.CountBody(r)
		s.metrics.begin()
		c, err := call{}, s.flooded(rec, r, k)
		if err == nil {
			c, err = contained(next, rec, r)
		}
		if c.Kind == kindNone {
			c.Kind = k
		}
		if err != nil {
			s.writeError(rec, err)
		}
		s.record(r, rec.Header(), rec.Status, c, err)
		took := s.now().Sub(start)
		s.metrics.end(c.Kind, rec.Status, rec.Sent, body.Received, took)
		s.logRequest(r, rec, body.Received, c, err, took)
	}
}

// counted has the requests of a handler of its own in the metrics.
func (s *Server) counted(k Kind, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := s.now()
		rec := &httpx.Recorder{ResponseWriter: w, Head: r.Method == http.MethodHead}
		body := httpx.CountBody(r)
		s.metrics.begin()
		defer func() { s.metrics.end(k, rec.Status, rec.Sent, body.Received, s.now().Sub(start)) }()
		if err := s.flooded(rec, r, k); err != nil {
			s.writeError(rec, err)
			return
		}
		next.ServeHTTP(rec, r)
	})
}

// contained turns a panic into an error, but for the one by which net/http
// is asked to cut the connection.
func contained(next endpoint, w *httpx.Recorder, r *http.Request) (c call, err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			panic(p)
		default:
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return next(w, r)
}

// logRequest writes the access line. What went wrong on our side is an error
// with its cause, what the client did wrong an info.
func (s *Server) logRequest(r *http.Request, rec *httpx.Recorder, received int64, c call, err error, took time.Duration) {
	level := slog.LevelInfo
	known := (*oci.Error)(nil)
	switch {
	case rec.Status >= 500 || err != nil && rec.Status < 400 && rec.Status != 0:
		level = slog.LevelError
	case c.Kind == Healthz || c.Kind == Readyz:
		level = slog.LevelDebug
	}
	if !s.log.Enabled(r.Context(), level) {
		return
	}
	var space [14]slog.Attr // on the stack; a record made here looks for no caller
	attrs := append(space[:0],
		slog.String("method", r.Method),
		slog.String("path", cut(r.URL.EscapedPath())),
		slog.String("kind", c.Kind.String()),
		slog.Int("status", rec.Status),
		slog.Int64("sent", rec.Sent),
		slog.Int64("received", received),
		slog.Duration("duration", took),
		slog.String("principal", c.who.ID()),
		slog.String("client", s.proxies.Client(r).String()),
		slog.String("user_agent", cut(r.UserAgent())),
	)
	if c.Repo != "" {
		attrs = append(attrs, slog.String("repository", c.Repo), slog.String("reference", c.reference()))
	}
	if err != nil {
		cause := err.Error()
		if errors.As(err, &known) && level != slog.LevelError {
			cause = known.Error()
		}
		attrs = append(attrs, slog.String("error", cause))
	}
	line := slog.NewRecord(s.now(), level, "request", 0)
	line.AddAttrs(attrs...)
	_ = s.log.Handler().Handle(r.Context(), line) // as slog does: there is nowhere to say so
}

func (c *call) reference() string {
	if c.Digest != "" {
		return string(c.Digest)
	}
	if c.Query.Digest != "" {
		return string(c.Query.Digest)
	}
	return c.Reference.String()
}

// cut bounds what a client can write into the log with one header.
func cut(s string) string {
	const most = 512
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}
