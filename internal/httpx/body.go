package httpx

import (
	"io"
	"net/http"
)

// Body is a request body that counts what was read of it.
type Body struct {
	io.ReadCloser
	Received int64 // bytes
}

// CountBody makes r count its body. A request without one costs nothing more.
func CountBody(r *http.Request) *Body {
	b := &Body{ReadCloser: r.Body}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = b
	}
	return b
}

func (b *Body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.Received += int64(n)
	return n, err
}
