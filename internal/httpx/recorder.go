// Package httpx holds small HTTP parts that know nothing of the domain: what
// a response was (Recorder) and who and where the client is (Proxies).
package httpx

import (
	"io"
	"net/http"
)

// Recorder is a response writer that remembers status and size. It stays out
// of the way of sendfile: ReadFrom reaches the writer underneath, and Unwrap
// lets http.ResponseController through.
type Recorder struct {
	http.ResponseWriter
	Head   bool  // the request was a HEAD: what is written as body is not sent
	Status int   // 0 until the header is written
	Sent   int64 // bytes of the body
}

var (
	_ http.ResponseWriter = (*Recorder)(nil)
	_ io.ReaderFrom       = (*Recorder)(nil)
)

// WriteHeader remembers the final status; informational ones pass.
func (r *Recorder) WriteHeader(status int) {
	if r.Status == 0 && status >= 200 {
		r.Status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *Recorder) Write(b []byte) (int, error) {
	r.started()
	n, err := r.ResponseWriter.Write(b)
	r.count(int64(n))
	return n, err
}

// ReadFrom implements io.ReaderFrom by that of the writer underneath, which
// in net/http uses sendfile for files.
func (r *Recorder) ReadFrom(src io.Reader) (int64, error) {
	r.started()
	n, err := io.Copy(r.ResponseWriter, src)
	r.count(n)
	return n, err
}

func (r *Recorder) count(n int64) {
	if !r.Head {
		r.Sent += n
	}
}

func (r *Recorder) started() {
	if r.Status == 0 {
		r.Status = http.StatusOK
	}
}

// Unwrap is for http.ResponseController.
func (r *Recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
