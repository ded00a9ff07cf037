package http1

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

// answers is a connection on which a text arrives in pieces of any size.
type answers struct {
	net.Conn
	r io.Reader
}

func (a answers) Read(p []byte) (int, error)  { return a.r.Read(p) }
func (a answers) Write(p []byte) (int, error) { return len(p), nil }

func receive(r io.Reader, method string) (*Response, error) {
	c := NewConn(answers{r: r}, "registry")
	resp := new(Response)
	return resp, c.Do(&Request{Method: method, Target: []byte("/v2/")}, resp)
}

func TestResponse(t *testing.T) {
	tests := []struct {
		name, method, text string
		status             int
		length             int64
		body               string
	}{
		{"length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, 5, "hello"},
		{"case", "GET", "HTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhello", 200, 5, "hello"},
		{"no reason", "GET", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, 0, ""},
		{"head", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, 5, ""},
		{"head without length", "HEAD", "HTTP/1.1 200 OK\r\n\r\n", 200, -1, ""},
		{"no content", "GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, -1, ""},
		{"chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: 1\r\n\r\n", 200, 5, "hello"},
		{"informational", "GET", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", 404, 2, "no"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(tt.text), iotest.OneByteReader(strings.NewReader(tt.text))} {
				resp, err := receive(r, tt.method)
				if err != nil {
					t.Fatal(err)
				}
				if resp.Status != tt.status || resp.Length != tt.length || string(resp.Body) != tt.body {
					t.Errorf("got %d, length %d, body %q", resp.Status, resp.Length, resp.Body)
				}
			}
		})
	}
}

func TestHeaderFields(t *testing.T) {
	const text = "HTTP/1.1 202 Accepted\r\nLocation: /v2/a\r\nDocker-Content-Digest: sha256:00\r\nLink: </v2/b>\r\nX: y\r\nContent-Length: 0\r\n\r\n"
	resp, err := receive(strings.NewReader(text), "POST")
	if err != nil {
		t.Fatal(err)
	}
	if string(resp.Location) != "/v2/a" || string(resp.Digest) != "sha256:00" || string(resp.Link) != "</v2/b>" {
		t.Errorf("got %s, %s, %s", resp.Location, resp.Digest, resp.Link)
	}
}

func TestBadResponse(t *testing.T) {
	tests := []struct {
		name, text string
		want       error // nil: any
	}{
		{"nothing", "", io.ErrUnexpectedEOF},
		{"cut header", "HTTP/1.1 200 OK\r\nContent-Le", io.ErrUnexpectedEOF},
		{"cut body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", io.ErrUnexpectedEOF},
		{"cut chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", io.ErrUnexpectedEOF},
		{"long chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhel\r\n0\r\n\r\n", errChunk},
		{"chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", errChunk},
		{"no length", "HTTP/1.1 200 OK\r\n\r\nhello", errNoLength},
		{"closing", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", errClosing},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", errHeader},
		{"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", errHeader},
		{"status", "HTTP/1.1 abc OK\r\n\r\n", errHeader},
		{"no colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", errHeader},
		{"endless header", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2*inSize), errHeader},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := receive(strings.NewReader(tt.text), "GET")
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// TestServer sends bodies of all sizes over one connection to net/http.
func TestServer(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		n, err := io.Copy(sum, r.Body)
		if err != nil || n != r.ContentLength {
			http.Error(w, "body", http.StatusBadRequest)
			return
		}
		_, _ = w.Write(append(sum.Sum(nil), make([]byte, n)...)) // chunked when it is long
	}))
	defer srv.Close()
	c, err := Dial(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	resp := new(Response)
	for _, n := range []int{0, 1, joinedBody, joinedBody + 1, 1 << 20, maxBody + 1} {
		body := [][]byte{bytes.Repeat([]byte("a"), n), []byte("end")}
		sum := sha256.Sum256(bytes.Join(body, nil))
		resp.Sink = new(bytes.Buffer)
		if err := c.Do(&Request{Method: "PUT", Target: []byte("/"), Body: body}, resp); err != nil {
			t.Fatal(err)
		}
		got := resp.Sink.(*bytes.Buffer).Bytes()
		if resp.Status != 200 || resp.Length != int64(n+3+len(sum)) || !bytes.HasPrefix(got, sum[:]) || len(got) != n+3+len(sum) {
			t.Errorf("%d bytes: status %d, length %d", n, resp.Status, resp.Length)
		}
	}
}

func TestForgetsLongBody(t *testing.T) {
	text := "HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n"
	resp, err := receive(io.MultiReader(strings.NewReader(text), io.LimitReader(zeros{}, 8<<20)), "GET")
	if err != nil || resp.Length != 8<<20 || len(resp.Body) > maxBody {
		t.Errorf("length %d, kept %d, %v", resp.Length, len(resp.Body), err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func FuzzResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
	f.Fuzz(func(t *testing.T, b []byte) {
		resp, err := receive(bytes.NewReader(b), "GET")
		if err != nil {
			return
		}
		want, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
		if err == nil {
			want.Body.Close()
		}
		if err == nil && want.StatusCode >= 200 && want.StatusCode != resp.Status { // it stops at informational ones
			t.Errorf("status %d, net/http says %d", resp.Status, want.StatusCode)
		}
	})
}
