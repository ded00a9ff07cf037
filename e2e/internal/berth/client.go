package berth

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Client makes requests as the administrator. Its connections are its own.
type Client struct {
	Alone       bool // each request has a connection to itself
	base, token string
	http        http.Client
}

// Client returns a client with the token that the last Login got.
func (s *Server) Client() *Client {
	return &Client{base: "http://" + s.Addr, token: s.Token, http: http.Client{Transport: &http.Transport{}, Timeout: time.Minute}}
}

// Answer is a response that arrived whole.
type Answer struct {
	Status   int
	Location string
	Header   http.Header
	Body     []byte
}

// Do makes a request. An error means that no whole answer came: nobody knows
// what the server did.
func (c *Client) Do(method, path, media string, body []byte) (Answer, error) {
	req, err := http.NewRequest(method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	req.Close = c.Alone
	req.Header.Set("Authorization", "Bearer "+c.token)
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return Answer{}, err
	}
	return Answer{resp.StatusCode, resp.Header.Get("Location"), resp.Header, b}, nil
}

// Close closes the connections that wait for a next request.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Digest is the sha256 digest of b.
func Digest(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }
