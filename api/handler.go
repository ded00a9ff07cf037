package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/auth/personal"
	"github.com/berth-registry/berth/auth/robot"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/ratelimit/pulls"
	"github.com/berth-registry/berth/storage"
)

// Limits of request bodies, in bytes.
const (
	maxBody   = 64 << 10
	maxImport = 2 * account.MaxImport // as JSON
)

// Limits of a page.
const (
	defaultPage = 100
	maxPage     = 1000
)

// Problem is the body of every error.
type Problem struct {
	Error string `json:"error"`
}

// do finds out who calls, whether they may, runs the endpoint, makes its error
// HTTP, and writes the audit trail and one line of log; the text of what is not
// the caller's fault stays there.
func (a *API) do(rt route, authenticate func(*http.Request) (caller, error)) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		w := &noted{ResponseWriter: rw}
		c, err := a.serve(rt, authenticate, w, r)
		level := slog.LevelInfo
		attrs := []slog.Attr{slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.String("principal", c.id())}
		if c.Client.IsValid() {
			attrs = append(attrs, slog.String("client", c.Client.String()))
		}
		if err != nil {
			status, text := problem(err)
			if status >= 500 {
				level = slog.LevelError
			}
			challenge(w.Header(), status, err)
			_ = reply(w, status, Problem{text})
			attrs = append(attrs, slog.Int("status", status), slog.String("error", err.Error()))
		}
		a.record(rt, r, w, c, err)
		a.Log.LogAttrs(r.Context(), level, "api", attrs...)
	}
}

func (a *API) serve(rt route, authenticate func(*http.Request) (caller, error), w http.ResponseWriter, r *http.Request) (c caller, err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler: // an answer is broken off on purpose
			panic(p)
		default:
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	w.Header().Set("Cache-Control", "no-store") // secrets, and who may what
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if rt.who != anybody {
		c, err = authenticate(r)
	}
	if rt.who == everybody && errors.Is(err, auth.ErrNoCredentials) {
		err = nil
	}
	c.Client = a.Client(r)
	if err == nil {
		err = rt.who.allow(c)
	}
	if err == nil {
		err = rt.serve(a, w, r, c)
	}
	return c, err
}

var (
	errBody       = errors.New("the body is not what this endpoint takes")
	errType       = errors.New("the body must be of the type application/json")
	errQuery      = errors.New("the query is not what this endpoint takes")
	errNoEndpoint = errors.New("there is no such endpoint")
	errNoMethod   = errors.New("the endpoint does not have this method")
)

// statuses are those of the errors that a caller is told of.
var statuses = []struct {
	status int
	errors []error
}{
	{http.StatusUnauthorized, []error{auth.ErrNoCredentials, auth.ErrMalformed, auth.ErrBadCredentials, auth.ErrInvalidToken}},
	{http.StatusForbidden, []error{auth.ErrDenied, errNotAdmin, errNarrowed, errPassword}},
	{http.StatusNotFound, []error{account.ErrNotFound, robot.ErrNotFound, personal.ErrNotFound, personal.ErrNoOwner, pulls.ErrNotSet, errNoEndpoint}},
	{http.StatusMethodNotAllowed, []error{errNoMethod}},
	{http.StatusConflict, []error{account.ErrExists, account.ErrStatic, account.ErrProvided, account.ErrLastAdmin, robot.ErrExists, personal.ErrExists, personal.ErrTooMany}},
	{http.StatusUnsupportedMediaType, []error{errType}},
	{http.StatusBadRequest, []error{account.ErrInvalid, robot.ErrInvalid, personal.ErrInvalid, pulls.ErrInvalid, errBody, errQuery, errKey}},
	{http.StatusTooManyRequests, []error{auth.ErrTooManyLogins}},
}

func problem(err error) (status int, text string) {
	if errors.Is(err, oci.ErrUnavailable) { // why is for the log
		return http.StatusServiceUnavailable, "a provider of identities does not answer: try again in a moment"
	}
	for _, s := range statuses {
		for _, known := range s.errors {
			if errors.Is(err, known) {
				return s.status, err.Error()
			}
		}
	}
	switch {
	case errors.Is(err, storage.ErrNoSpace): // of whichever store
		return http.StatusInsufficientStorage, "the registry has no space left"
	case errors.Is(err, storage.ErrUnavailable):
		return http.StatusServiceUnavailable, "the registry takes no changes at the moment: see /readyz and the server's log"
	}
	return http.StatusInternalServerError, "an internal error occurred: see the server's log"
}

// challenge says how to do better. It names Bearer and not Basic: a browser
// would ask for a password then, and send it along with whatever another site
// makes it request.
func challenge(h http.Header, status int, err error) {
	switch status {
	case http.StatusUnauthorized:
		value := `Bearer realm="berth"`
		if errors.Is(err, auth.ErrInvalidToken) {
			value += `,error="invalid_token"`
		}
		h.Set("WWW-Authenticate", value)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(auth.RetryAfter(err)))
	}
}

// read decodes a body strictly: one document, of known members.
func read[T any](w http.ResponseWriter, r *http.Request) (T, error) {
	return readUpTo[T](w, r, maxBody)
}

func readUpTo[T any](w http.ResponseWriter, r *http.Request, most int64) (v T, err error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return v, errType
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, most))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, fmt.Errorf("%w: %w", errBody, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return v, fmt.Errorf("%w: it goes on after its end", errBody)
	}
	note(w, v)
	return v, nil
}

func reply(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	note(w, v)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(body, '\n'))
	return err
}

func done(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// list answers with the page of a listing that the query asks for. seq visits
// what comes after an entry, name is what an entry goes by.
func list[T any](w http.ResponseWriter, r *http.Request, seq func(after string) iter.Seq2[T, error], name func(T) string) error {
	query := r.URL.Query()
	n, err := pageSize(query)
	if err != nil {
		return err
	}
	entries := []T{} // [] in JSON, not null
	for v, err := range seq(query.Get("last")) {
		if err != nil {
			return err
		}
		if len(entries) == n {
			query.Set("last", name(entries[n-1]))
			w.Header().Set("Link", "<"+r.URL.Path+"?"+query.Encode()+`>; rel="next"`)
			break
		}
		entries = append(entries, v)
	}
	return reply(w, http.StatusOK, entries)
}

func pageSize(query url.Values) (int, error) {
	if !query.Has("n") {
		return defaultPage, nil
	}
	n, err := strconv.ParseUint(query.Get("n"), 10, 32)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%w: n is a number of entries", errQuery)
	}
	return int(min(n, maxPage)), nil
}
