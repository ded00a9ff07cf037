package server

import (
	"errors"
	"io"
	"math"
	"net/http"
	"sync"
	"time"
)

// An upload may take as long as it likes, as long as it moves: at least
// minBytes within every window. A total time-out would cut off large layers
// on slow links, none at all would let a client hold a session for ever.
const (
	window   = time.Minute
	minBytes = 64 << 10
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

// A download must move too: sendStep bytes within every sendWindow. A client
// that stops reading is cut off and does not hold a file for ever.
const (
	sendStep   = 1 << 20
	sendWindow = 2 * time.Minute
)

// small is how much is cheaper to copy than to send with sendfile, which wants
// the header in a packet of its own before it.
const small = 16 << 10

var smallBuffers = sync.Pool{New: func() any { return new([small]byte) }}

// send copies src to w in steps, each with a deadline of its own. A step is an
// *io.LimitedReader over what src reads, so that sendfile stays possible.
func send(w http.ResponseWriter, src io.Reader, now func() time.Time) (sent int64, err error) {
	control := http.NewResponseController(w)
	all, ok := src.(*io.LimitedReader)
	if !ok { // http.ServeContent always limits
		all = &io.LimitedReader{R: src, N: math.MaxInt64}
	}
	if all.N <= small {
		allow(control, now().Add(sendWindow))
		return sendSmall(w, all)
	}
	for all.N > 0 {
		allow(control, now().Add(sendWindow))
		step := min(all.N, sendStep)
		n, err := io.Copy(w, &io.LimitedReader{R: all.R, N: step})
		sent += n
		all.N -= n
		if err != nil || n < step {
			return sent, err
		}
	}
	return sent, nil
}

// sendSmall sends what fits into one buffer by one write.
func sendSmall(w io.Writer, src *io.LimitedReader) (sent int64, err error) {
	buf := smallBuffers.Get().(*[small]byte)
	defer smallBuffers.Put(buf)
	read, err := io.ReadFull(src.R, buf[:src.N])
	n, writeErr := w.Write(buf[:read])
	src.N -= int64(n)
	return int64(n), errors.Join(err, writeErr)
}

// Timeouts sets on hs the limits that all routes share; uploads and blobs
// extend them as they move.
func Timeouts(hs *http.Server) {
	hs.ReadHeaderTimeout = 10 * time.Second
	hs.ReadTimeout = window
	hs.WriteTimeout = window + 15*time.Second // a request that came too slowly still gets its answer
	hs.IdleTimeout = 3 * time.Minute
	hs.MaxHeaderBytes = 128 << 10 // a token has up to 64 KiB
}
