package http1

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"
)

const (
	inSize      = 256 << 10 // bytes read at a time; also the most that a header may have
	joinedBody  = 16 << 10  // a body up to this size goes out in one write with its head
	dialTimeout = 10 * time.Second
)

// Conn is a connection to a server. One goroutine may use it at a time.
type Conn struct {
	nc   net.Conn
	host string // the Host header line
	in   []byte
	r, w int // what of in has arrived and was not consumed
	out  []byte
	vec  net.Buffers
}

// Dial connects to host:port.
func Dial(addr string) (*Conn, error) {
	d := net.Dialer{Timeout: dialTimeout}
	nc, err := d.DialContext(context.Background(), "tcp", addr) // a connection lives longer than any request
	if err != nil {
		return nil, err
	}
	return NewConn(nc, addr), nil
}

// NewConn talks over nc to a server that calls itself host.
func NewConn(nc net.Conn, host string) *Conn {
	return &Conn{nc: nc, host: "Host: " + host + "\r\n", in: make([]byte, inSize)}
}

// Close closes the connection.
func (c *Conn) Close() error { return c.nc.Close() }

// SetDeadline bounds all that follows.
func (c *Conn) SetDeadline(t time.Time) error { return c.nc.SetDeadline(t) }

// Request is what is sent. Nothing in it is checked or escaped.
type Request struct {
	Method string
	Target []byte   // path and query
	Header []byte   // whole lines, each with its CRLF
	Body   [][]byte // sent one after the other
}

func (r *Request) length() (n int) {
	for _, part := range r.Body {
		n += len(part)
	}
	return n
}

// Do sends a request and reads its answer. After an error the connection is of no further use.
func (c *Conn) Do(req *Request, resp *Response) error {
	if err := c.send(req); err != nil {
		return fmt.Errorf("%s %s: send: %w", req.Method, req.Target, err)
	}
	if err := c.receive(req.Method == "HEAD", resp); err != nil {
		return fmt.Errorf("%s %s: %w", req.Method, req.Target, err)
	}
	return nil
}

func (c *Conn) send(req *Request) error {
	n := req.length()
	b := append(c.out[:0], req.Method...)
	b = append(b, ' ')
	b = append(b, req.Target...)
	b = append(b, " HTTP/1.1\r\n"...)
	b = append(b, c.host...)
	b = append(b, "User-Agent: berth-bench\r\n"...)
	b = append(b, req.Header...)
	if n > 0 || req.Method != "GET" && req.Method != "HEAD" {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, int64(n), 10)
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\n"...)
	if n <= joinedBody {
		for _, part := range req.Body {
			b = append(b, part...)
		}
		c.out = b
		_, err := c.nc.Write(b)
		return err
	}
	c.out = b
	c.vec = append(append(c.vec[:0], b), req.Body...)
	vec := c.vec // WriteTo consumes what it is called on
	_, err := vec.WriteTo(c.nc)
	return err
}
