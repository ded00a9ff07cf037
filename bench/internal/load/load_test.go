package load

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestContent(t *testing.T) {
	for _, size := range []int{tailSize, kib, 4 * kib} {
		c := newContent(size, 1)
		for _, i := range []int{0, 1, 1 << 40} {
			b := c.bytes(i)
			sum := sha256.Sum256(b)
			if len(b) != size || c.digest(i) != "sha256:"+hex.EncodeToString(sum[:]) {
				t.Errorf("blob %d of %d bytes: %d bytes, %s", i, size, len(b), c.digest(i))
			}
		}
		if c.digest(1) == c.digest(2) || size > tailSize && c.digest(1) == newContent(size, 2).digest(1) {
			t.Errorf("%d bytes: blobs are alike", size)
		}
	}
}

func TestImage(t *testing.T) {
	c := newContent(kib, 1)
	for _, m := range []image{newImage(c, 0, c, 1), emptyIndex} {
		one, two := m.append(nil, 1), m.append(nil, 2)
		if !json.Valid(one) || len(one) != len(two) || string(one) == string(two) {
			t.Errorf("%s\n%s", one, two)
		}
	}
}

func TestPages(t *testing.T) {
	names := make([]string, 2*pageSize+1)
	for i := range names {
		names[i] = name("t", i)
	}
	got := pages(names)
	if len(got) != 3 || got[0].last != "" || got[1].last != names[pageSize-1] || got[2].last != names[2*pageSize-1] {
		t.Fatalf("got %d pages", len(got))
	}
	var all []string
	for _, p := range got {
		all = append(all, p.want()...)
	}
	if !slices.Equal(all, names) || !slices.IsSorted(names) {
		t.Error("pages do not make up the listing")
	}
}

func TestScatteredPages(t *testing.T) {
	for _, size := range []int{1, pageSize - 1, pageSize, 100_000} {
		at := scatteredPages("t", "before", size)
		for i := range 50 {
			p := at(i)
			want := p.want()
			if p.full != (len(want) == pageSize) || len(want) != min(size, pageSize) || want[len(want)-1] > name("t", size-1) {
				t.Fatalf("page %d of %d: %d names to %s", i, size, len(want), want[len(want)-1])
			}
			if first := want[0] == name("t", 0); first != (p.last == "before") || p.last != "before" && p.last >= want[0] {
				t.Errorf("page %d of %d begins with %s after %s", i, size, want[0], p.last)
			}
		}
	}
}

func TestSamples(t *testing.T) {
	for n, want := range map[int][]int{0: {}, 1: {0}, 2: {0, 1}, 100: {0, 25, 50, 75, 99}} {
		if got := samples(n); !slices.Equal(got, want) {
			t.Errorf("%d: got %v", n, got)
		}
	}
}

func TestParseNames(t *testing.T) {
	for _, text := range []string{`{"name":"x","tags":["a","b"]}`, `{"repositories":["a","b"]}`} {
		got, err := parseNames([]byte(text))
		if err != nil || !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	if _, err := parseNames([]byte("<html>")); err == nil {
		t.Error("no error")
	}
}

func TestFollow(t *testing.T) {
	tests := []struct{ location, want string }{
		{"/v2/a/blobs/uploads/1", "/v2/a/blobs/uploads/1?digest=d"},
		{"http://127.0.0.1:5000/v2/a/blobs/uploads/1?_state=x", "/v2/a/blobs/uploads/1?_state=x&digest=d"},
		{"", ""},
		{"v2/a", ""},
		{"http://127.0.0.1:5000", ""},
	}
	for _, tt := range tests {
		w := new(Worker)
		w.resp.Location = []byte(tt.location)
		err := w.follow("digest", []byte("d"))
		if (err == nil) != (tt.want != "") || err == nil && string(w.target) != tt.want {
			t.Errorf("%q: got %s, %v", tt.location, w.target, err)
		}
	}
}

// open is a server that asks nobody.
type open struct{}

func (open) Token(...string) ([]byte, error) { return nil, nil }
func (open) TokenPath(...string) string      { return "" }
func (open) Basic() []byte                   { return nil }

func client(t *testing.T, h http.HandlerFunc) *Client {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return NewClient(srv.Listener.Addr().String(), open{}, Options{Fillers: 4})
}

func TestSession(t *testing.T) {
	c := client(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	seen := make([]int, 100)
	s, err := c.Open(&Plan{Op: func(w *Worker, i int) error {
		seen[i]++
		w.to("/")
		return w.do("GET", 200)
	}}, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, n := range []int{10, 90} {
		r, err := s.Run(n, time.Minute)
		if err != nil || r.Ops != n || r.Wall <= 0 || len(r.Latency) != n {
			t.Fatalf("%d of %d, %v", r.Ops, n, err)
		}
	}
	if slices.ContainsFunc(seen, func(n int) bool { return n != 1 }) {
		t.Errorf("not each once: %v", seen)
	}
	if c.Requests() != 100 {
		t.Errorf("%d requests", c.Requests())
	}
}

func TestLimit(t *testing.T) {
	c := client(t, func(http.ResponseWriter, *http.Request) { time.Sleep(10 * time.Millisecond) })
	s, err := c.Open(&Plan{Op: func(w *Worker, _ int) error {
		w.to("/")
		return w.do("GET", 200)
	}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r, err := s.Run(1000, 50*time.Millisecond)
	if err != nil || r.Ops == 0 || r.Ops > 20 {
		t.Errorf("%d operations, %v", r.Ops, err)
	}
}

func TestWrongAnswer(t *testing.T) {
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/7" {
			http.Error(w, "nothing here", http.StatusNotFound)
		}
	})
	err := c.each(nil, 10, func(w *Worker, i int) error {
		w.to("/", fmt.Sprint(i))
		return w.do("GET", 200)
	})
	if err == nil || !strings.Contains(err.Error(), "GET /7: status 404 instead of 200: nothing here") {
		t.Errorf("got %v", err)
	}
}
