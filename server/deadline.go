package server

import (
	"io"
	"net/http"
	"time"
)

// An upload may take as long as it likes, as long as it moves: at least
// minBytes within every window. A total time-out would cut off large layers
// on slow links, none at all would let a client hold a session for ever.
const (
	window   = time.Minute
	minBytes = 64 << 10
	minRate  = minBytes / int64(window/time.Second) // bytes a second
)

// moving is a request body that must keep moving.
type moving struct {
	io.Reader
	control *http.ResponseController
	now     func() time.Time
	left    int64 // bytes until the window begins anew
}

// body returns the body of an upload with its deadline.
func (s *Server) body(w http.ResponseWriter, r *http.Request) io.Reader {
	return &moving{Reader: r.Body, control: http.NewResponseController(w), now: s.now}
}

func (m *moving) Read(p []byte) (int, error) {
	if m.left <= 0 {
		// Errors mean a writer without deadlines, as in tests: no limit then.
		_ = m.control.SetReadDeadline(m.now().Add(window))
		m.left = minBytes
	}
	n, err := m.Reader.Read(p)
	m.left -= int64(n)
	if err != nil {
		allow(m.control, m.now().Add(maxCommit))
	}
	return n, err
}

// maxCommit is how long making a received blob durable may take: tens of GiB
// are flushed to a slow disk, or read once more for another algorithm.
const maxCommit = time.Hour

// allow gives the rest of a request until t. The read deadline moves too:
// net/http listens for the client's end of the connection while a handler
// runs, and takes a deadline that passes for one.
func allow(c *http.ResponseController, t time.Time) {
	_ = c.SetReadDeadline(t)
	_ = c.SetWriteDeadline(t)
}

// allowSending gives a response of size bytes the time that the slowest
// client allowed needs.
func (s *Server) allowSending(w http.ResponseWriter, size int64) {
	limit := window + time.Duration(size/minRate)*time.Second
	allow(http.NewResponseController(w), s.now().Add(limit))
}

// Timeouts sets on hs the limits that all routes share; uploads and blobs
// extend them as they move.
func Timeouts(hs *http.Server) {
	hs.ReadHeaderTimeout = 10 * time.Second
	hs.ReadTimeout = window
	hs.WriteTimeout = window
	hs.IdleTimeout = 3 * time.Minute
	hs.MaxHeaderBytes = 128 << 10 // a token has up to 64 KiB
}
