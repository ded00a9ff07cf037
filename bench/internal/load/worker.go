package load

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"strconv"
	"time"

	"github.com/berth-registry/berth/bench/internal/http1"
)

// Worker is one connection and the space that its requests are made in.
type Worker struct {
	client *Client
	conn   *http1.Conn
	auth   []byte // the Authorization header line
	req    http1.Request
	resp   http1.Response
	parts  [2][]byte
	target []byte
	header []byte
	text   []byte // a body
	digest []byte
	sum    hash.Hash
}

func newWorker(c *Client, auth []byte) (*Worker, error) {
	conn, err := http1.Dial(c.addr)
	if err != nil {
		return nil, err
	}
	return &Worker{client: c, conn: conn, auth: auth, sum: sha256.New()}, nil
}

// to sets the target of the next request.
func (w *Worker) to(parts ...string) {
	w.target = w.target[:0]
	for _, p := range parts {
		w.target = append(w.target, p...)
	}
}

// do sends a request and demands a status.
func (w *Worker) do(method string, status int, body ...[]byte) error {
	w.req.Method, w.req.Target = method, w.target
	w.req.Header = append(append(w.req.Header[:0], w.auth...), w.header...)
	w.req.Body = w.parts[:copy(w.parts[:], body)]
	w.client.requests.Add(1)
	if err := w.conn.Do(&w.req, &w.resp); err != nil {
		return err
	}
	w.header = w.header[:0]
	if w.resp.Status != status {
		return w.wrong("status %d instead of %d: %s", w.resp.Status, status, w.resp.Body)
	}
	return nil
}

// wrong is an answer that differs from what is expected.
func (w *Worker) wrong(format string, args ...any) error {
	return fmt.Errorf("%s %s: %s", w.req.Method, w.target, fmt.Sprintf(format, args...))
}

// hasDigest demands a Docker-Content-Digest.
func (w *Worker) hasDigest(want []byte) error {
	if !bytes.Equal(w.resp.Digest, want) {
		return w.wrong("Docker-Content-Digest %q instead of %q", w.resp.Digest, want)
	}
	return nil
}

// hasLength demands a length: of the body, or for HEAD of the header.
func (w *Worker) hasLength(want int) error {
	if w.resp.Length != int64(want) {
		return w.wrong("length %d instead of %d", w.resp.Length, want)
	}
	return nil
}

func (w *Worker) hasBody(want []byte) error {
	if !bytes.Equal(w.resp.Body, want) {
		return w.wrong("%d other bytes than the %d that were stored", len(w.resp.Body), len(want))
	}
	return nil
}

// follow makes the Location of the last answer the target, with a parameter more unless that is empty.
func (w *Worker) follow(query string, value []byte) error {
	location := w.resp.Location
	if i := bytes.Index(location, []byte("://")); i >= 0 {
		location = location[i+3:]
		location = location[max(0, bytes.IndexByte(location, '/')):]
	}
	if len(location) == 0 || location[0] != '/' {
		return w.wrong("Location %q", w.resp.Location)
	}
	w.target = append(w.target[:0], location...)
	if query == "" {
		return nil
	}
	mark := byte('?')
	if bytes.IndexByte(location, mark) >= 0 {
		mark = '&'
	}
	w.target = append(w.target, mark)
	w.target = append(append(append(w.target, query...), '='), value...)
	return nil
}

func (w *Worker) setHeader(name, value string) {
	w.header = append(append(w.header, name...), ": "...)
	w.header = append(append(w.header, value...), "\r\n"...)
}

func (w *Worker) setRange(start, end int) {
	w.header = append(w.header, "Content-Range: "...)
	w.header = strconv.AppendInt(w.header, int64(start), 10)
	w.header = append(w.header, '-')
	w.header = strconv.AppendInt(w.header, int64(end-1), 10)
	w.header = append(w.header, "\r\n"...)
}

func (w *Worker) close() { _ = w.conn.Close() } // nothing is lost with it

func (w *Worker) deadline(t time.Time) error { return w.conn.SetDeadline(t) }
