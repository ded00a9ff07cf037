package filesystem

import (
	"io"
	"sync"
)

// buffers are for bodies on their way in and for hashing again. Larger ones are
// not faster (64 KiB to 1 MiB measure the same), and a slow client holds one.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 128<<10)
	return &b
}}

var _ io.ReaderFrom = (*upload)(nil)

// ReadFrom appends all that r has, in few large writes. When r fails, what it
// gave before is kept. The error is r's or that of Write.
func (u *upload) ReadFrom(r io.Reader) (taken int64, err error) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for {
		n, ended, failed := fill(r, *buf)
		w, err := u.Write((*buf)[:n])
		taken += int64(w)
		if err != nil {
			return taken, err
		}
		if ended || failed != nil {
			return taken, failed
		}
	}
}

// fill is io.ReadFull that returns r's own error: a body that was cut off says
// io.ErrUnexpectedEOF and must not pass for a short one.
func fill(r io.Reader, p []byte) (n int, ended bool, err error) {
	for n < len(p) {
		m, err := r.Read(p[n:])
		n += m
		if err == io.EOF { // and nothing that wraps it
			return n, true, nil
		}
		if err != nil {
			return n, false, err
		}
	}
	return n, false, nil
}
