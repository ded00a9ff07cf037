package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/bench/internal/load"
)

// nobody asks who the client is.
type nobody struct{}

func (nobody) Token(...string) ([]byte, error) { return nil, nil }
func (nobody) TokenPath(...string) string      { return "" }
func (nobody) Basic() []byte                   { return nil }

func newClient(t *testing.T, wrap func(http.Handler) http.Handler) *load.Client {
	f, err := newFloor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(wrap(f))
	t.Cleanup(srv.Close)
	return load.NewClient(srv.Listener.Addr().String(), nobody{}, load.Options{Fillers: 8, Extended: true})
}

// do runs n operations of a row, with its check.
func do(c *load.Client, row load.Row, n int) error {
	p, err := row.Prepare(c, n)
	if err != nil {
		return err
	}
	s, err := c.Open(p, 2)
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := s.Run(n, time.Minute); err != nil {
		return err
	}
	return s.Check()
}

// count is how many operations of a row are enough to see it work.
func count(row load.Row) int {
	if row.Bytes > 1<<20 {
		return 2
	}
	return 40
}

// TestRows runs the whole load against the floor: all that the rows demand of a registry, the floor must give.
func TestRows(t *testing.T) {
	c := newClient(t, func(h http.Handler) http.Handler { return h })
	for _, row := range load.Rows() {
		if row.Bytes > 1<<20 && testing.Short() {
			continue
		}
		if err := do(c, row, count(row)); err != nil {
			t.Errorf("%s: %v", row.Name, err)
		}
	}
	if err := c.CountRepositories(); err != nil {
		t.Error(err)
	}
}

func TestGrowthRows(t *testing.T) {
	const size = 200
	for _, extended := range []bool{false, true} {
		c := newClient(t, func(h http.Handler) http.Handler { return h })
		c.Extended = extended
		if err := c.Grow(0, size); err != nil {
			t.Fatal(err)
		}
		for _, row := range c.GrowthRows(size) {
			if err := do(c, row, count(row)); err != nil {
				t.Errorf("%s: %v", row.Name, err)
			}
		}
		if err := c.CountRepositories(); err != nil {
			t.Error(err)
		}
	}
}

// liar changes answers on their way out.
type liar struct {
	http.ResponseWriter
	change func([]byte) []byte
}

func (l liar) Write(b []byte) (int, error) {
	_, err := l.ResponseWriter.Write(l.change(b))
	return len(b), err
}

// TestLies makes the floor answer wrongly, each time in another way, and demands that the row notices.
func TestLies(t *testing.T) {
	flip := func(b []byte) []byte {
		b = bytes.Clone(b)
		b[len(b)/2] ^= 1
		return b
	}
	tests := []struct {
		row, method, part string
		lie               func(w http.ResponseWriter) http.ResponseWriter
	}{
		{"manifest-get", "GET", "/manifests/", func(w http.ResponseWriter) http.ResponseWriter { return liar{w, flip} }},
		{"blob-get-1k", "GET", "/blobs/", func(w http.ResponseWriter) http.ResponseWriter { return liar{w, flip} }},
		{"push-4k", "GET", "/blobs/", func(w http.ResponseWriter) http.ResponseWriter { return liar{w, flip} }},
		{"tags", "GET", "/tags/list", func(w http.ResponseWriter) http.ResponseWriter {
			return liar{w, func(b []byte) []byte { return bytes.Replace(b, []byte("t0000007"), []byte("t0000077"), 1) }}
		}},
		{"catalog", "GET", "/_catalog", func(w http.ResponseWriter) http.ResponseWriter {
			return liar{w, func(b []byte) []byte { return bytes.Replace(b, []byte(`"bench/c0000007",`), nil, 1) }}
		}},
		{"manifest-head", "HEAD", "/manifests/", func(w http.ResponseWriter) http.ResponseWriter {
			return header{w, "Docker-Content-Digest", "sha256:" + strings.Repeat("0", 64)}
		}},
		{"blob-head", "HEAD", "/blobs/", func(w http.ResponseWriter) http.ResponseWriter { return header{w, "Content-Length", "7"} }},
		{"manifest-put", "PUT", "/manifests/", func(w http.ResponseWriter) http.ResponseWriter {
			return header{w, "Docker-Content-Digest", "sha256:" + strings.Repeat("0", 64)}
		}},
		{"create", "PUT", "/manifests/", func(w http.ResponseWriter) http.ResponseWriter { return status{w} }},
	}
	for _, tt := range tests {
		t.Run(tt.row, func(t *testing.T) {
			lying := false
			c := newClient(t, func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if lying && r.Method == tt.method && strings.Contains(r.URL.Path, tt.part) {
						w = tt.lie(w)
					}
					h.ServeHTTP(w, r)
				})
			})
			for _, row := range load.Rows() {
				if row.Key != tt.row {
					continue
				}
				if err := do(c, row, count(row)); err != nil {
					t.Fatalf("before the lie: %v", err)
				}
				lying = true
				if err := do(c, row, count(row)); err == nil {
					t.Error("nobody noticed")
				}
			}
		})
	}
}

// header sets one header to a value at the last moment.
type header struct {
	http.ResponseWriter
	name, value string
}

func (h header) WriteHeader(status int) {
	h.Header().Set(h.name, h.value)
	h.ResponseWriter.WriteHeader(status)
}

// status says 200 instead of 201.
type status struct{ http.ResponseWriter }

func (s status) WriteHeader(int) { s.ResponseWriter.WriteHeader(http.StatusOK) }
