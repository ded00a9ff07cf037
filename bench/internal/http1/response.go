package http1

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxBody is the longest body that is kept when nobody takes it; a longer one is counted and forgotten.
const maxBody = 4 << 20

var (
	errHeader   = errors.New("the answer's header cannot be read")
	errNoLength = errors.New("the answer's body has neither a length nor chunks")
	errClosing  = errors.New("the server closes the connection")
	errChunk    = errors.New("a chunk of the answer cannot be read")
)

// Response is what came back. A Response is used again and again: what it says holds until the next one is read
// into it.
type Response struct {
	Sink io.Writer // set by the caller: takes the body; it is not kept then

	Status   int
	Length   int64  // bytes of the body; for HEAD what Content-Length says, -1 without
	Body     []byte // up to maxBody bytes, without Sink
	Digest   []byte // Docker-Content-Digest
	Location []byte
	Link     []byte

	kept    []byte // the header, which Digest and the like are parts of
	body    []byte
	chunked bool
	closing bool
}

func (r *Response) reset() {
	*r = Response{Sink: r.Sink, Length: -1, kept: r.kept[:0], body: r.body[:0]}
}

// receive reads a final answer.
func (c *Conn) receive(head bool, resp *Response) error {
	for {
		if err := c.header(resp); err != nil {
			return err
		}
		if resp.Status >= 200 {
			break
		}
	}
	if err := c.body(head, resp); err != nil {
		return fmt.Errorf("status %d: %w", resp.Status, err)
	}
	if resp.closing {
		return fmt.Errorf("status %d: %w: %s", resp.Status, errClosing, resp.Body)
	}
	return nil
}

var headerEnd = []byte("\r\n\r\n")

func (c *Conn) header(resp *Response) error {
	resp.reset()
	searched := 0
	for {
		have := c.in[c.r:c.w]
		if i := bytes.Index(have[searched:], headerEnd); i >= 0 {
			end := searched + i
			resp.kept = append(resp.kept, have[:end+2]...)
			c.r += end + len(headerEnd)
			return resp.parse(resp.kept)
		}
		searched = max(0, len(have)-len(headerEnd)+1)
		if err := c.fill(); err != nil {
			return err
		}
	}
}

// fill reads more into the buffer, at least a byte.
func (c *Conn) fill() error {
	switch {
	case c.r == c.w:
		c.r, c.w = 0, 0
	case c.w == len(c.in) && c.r > 0:
		c.w = copy(c.in, c.in[c.r:c.w])
		c.r = 0
	case c.w == len(c.in):
		return errHeader // longer than the buffer
	}
	n, err := c.nc.Read(c.in[c.w:])
	c.w += n
	if n > 0 {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// parse reads a header whose every line ends with CRLF.
func (r *Response) parse(b []byte) error {
	line, rest, ok := bytes.Cut(b, crlf)
	if !ok || len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return errHeader
	}
	status, err := strconv.ParseUint(string(line[9:12]), 10, 16)
	if err != nil {
		return errHeader
	}
	r.Status = int(status)
	for len(rest) > 0 {
		if line, rest, ok = bytes.Cut(rest, crlf); !ok {
			return errHeader
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return errHeader
		}
		if err := r.field(name, bytes.TrimSpace(value)); err != nil {
			return err
		}
	}
	return nil
}

var crlf = []byte("\r\n")

// field looks at the length of a name first: most lines are none that matter.
func (r *Response) field(name, value []byte) error {
	switch len(name) {
	case len("Link"):
		if is(name, "Link") {
			r.Link = value
		}
	case len("Location"):
		if is(name, "Location") {
			r.Location = value
		}
	case len("Connection"):
		if is(name, "Connection") {
			r.closing = is(value, "close")
		}
	case len("Content-Length"):
		if is(name, "Content-Length") {
			n, err := strconv.ParseUint(string(value), 10, 63)
			if err != nil {
				return errHeader
			}
			r.Length = int64(n)
		}
	case len("Transfer-Encoding"):
		if is(name, "Transfer-Encoding") {
			r.chunked = is(value, "chunked")
		}
	case len("Docker-Content-Digest"):
		if is(name, "Docker-Content-Digest") {
			r.Digest = value
		}
	}
	return nil
}

func is(b []byte, s string) bool { return bytes.EqualFold(b, []byte(s)) }

func (c *Conn) body(head bool, resp *Response) error {
	switch {
	case head, resp.Status == 204, resp.Status == 304:
		return nil
	case resp.chunked:
		return c.chunks(resp)
	case resp.Length < 0:
		return errNoLength
	}
	n := resp.Length
	resp.Length = 0
	return c.take(n, resp)
}

// take gives the next n bytes to resp.
func (c *Conn) take(n int64, resp *Response) error {
	for n > 0 {
		if c.r == c.w {
			if err := c.fill(); err != nil {
				return err
			}
		}
		part := c.in[c.r:min(int64(c.w), int64(c.r)+n)]
		c.r += len(part)
		n -= int64(len(part))
		if err := resp.add(part); err != nil {
			return err
		}
	}
	return nil
}

func (r *Response) add(part []byte) error {
	r.Length += int64(len(part))
	if r.Sink != nil {
		_, err := r.Sink.Write(part)
		return err
	}
	if r.Length <= maxBody {
		r.body = append(r.body, part...)
		r.Body = r.body
	}
	return nil
}

func (c *Conn) chunks(resp *Response) error {
	resp.Length = 0
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(bytes.TrimSpace(size)), 16, 63)
		if err != nil {
			return errChunk
		}
		if n == 0 {
			return c.trailers()
		}
		if err := c.take(int64(n), resp); err != nil {
			return err
		}
		if line, err := c.line(); err != nil || len(line) > 0 {
			return errors.Join(errChunk, err)
		}
	}
}

func (c *Conn) trailers() error {
	for {
		line, err := c.line()
		if err != nil || len(line) == 0 {
			return err
		}
	}
}

// line returns the next line, which holds until the next read, without its end.
func (c *Conn) line() ([]byte, error) {
	for {
		if i := bytes.Index(c.in[c.r:c.w], crlf); i >= 0 {
			line := c.in[c.r : c.r+i]
			c.r += i + len(crlf)
			return line, nil
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}
