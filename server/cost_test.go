package server_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// pullCosts are the requests of a pull and how many allocations each may make,
// from the parsed request to the last byte, the access line included. The
// numbers are what is needed today, and two for bbolt, which copies the header of
// a table where that is not aligned: a larger one is a decision.
var pullCosts = []struct {
	name   string
	do     string
	allocs float64
}{
	{"manifest HEAD by tag", "HEAD /v2/alice/app/manifests/v1", 28},
	{"manifest GET by tag", "GET /v2/alice/app/manifests/v1", 33},
	{"blob HEAD", "HEAD " + at + "{blob}", 28},
	{"blob GET 1 KiB", "GET " + at + "{blob}", 44},
}

// puller is a registry with an image, and a token to pull it.
func puller(tb testing.TB) (s *stack, requests []*http.Request) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil)) //nolint:sloglint // it formats its lines, as in earnest
	s = newStack(tb, settings{log: log})
	content := strings.Repeat("x", 1<<10)
	blob := s.blob("alice/app", content)
	config := "{}"
	s.blob("alice/app", config)
	s.manifest("alice/app", "v1", image(config, content))
	token := bearer(s.token("alice", "repository:alice/app:pull"))
	for _, c := range pullCosts {
		r := s.request(row{do: strings.ReplaceAll(c.do, "{blob}", blob), as: token})
		r.RemoteAddr = "192.0.2.1:50000"
		requests = append(requests, r)
	}
	return s, requests
}

// TestPullAllocations counts what a pull allocates.
func TestPullAllocations(t *testing.T) {
	if testing.Short() {
		t.Skip("under the race detector pools forget")
	}
	s, requests := puller(t)
	for i, c := range pullCosts {
		w := &discard{header: make(http.Header)}
		n := testing.AllocsPerRun(200, func() { w.serve(s.handler, requests[i]) })
		if w.status != http.StatusOK || n > c.allocs {
			t.Errorf("%s: status %d, %v allocations, at most %v", c.name, w.status, n, c.allocs)
		}
		t.Logf("%s: %v allocations", c.name, n)
	}
}

func BenchmarkPull(b *testing.B) {
	s, requests := puller(b)
	for i, c := range pullCosts {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			w := &discard{header: make(http.Header)}
			for b.Loop() {
				w.serve(s.handler, requests[i])
			}
		})
	}
}

// discard is a response writer that costs nothing. net/http makes the request
// and its URL, so they are made anew, too.
type discard struct {
	header http.Header
	status int
	req    http.Request
	url    url.URL
}

func (w *discard) serve(h http.Handler, r *http.Request) {
	clear(w.header)
	w.status = 0
	w.req, w.url = *r, *r.URL
	w.req.URL = &w.url
	h.ServeHTTP(w, &w.req)
}

func (w *discard) Header() http.Header                 { return w.header }
func (w *discard) WriteHeader(status int)              { w.status = status }
func (w *discard) Write(p []byte) (int, error)         { return len(p), nil }
func (w *discard) ReadFrom(r io.Reader) (int64, error) { return io.Copy(io.Discard, r) }
