package crash

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
)

// client makes requests of one round: its connections die with the process.
type client struct {
	base, token string
	http        http.Client
}

func newClient(s *server) *client {
	return &client{base: "http://" + s.addr, token: s.token, http: http.Client{Transport: &http.Transport{}}}
}

// answer is a response that arrived whole.
type answer struct {
	status   int
	location string
	header   http.Header
	body     []byte
}

// do makes a request. An error means that no whole answer came: the server is
// dead, and nobody knows what it did.
func (c *client) do(method, path, media string, body []byte) (answer, error) {
	req, err := http.NewRequest(method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	return answer{resp.StatusCode, resp.Header.Get("Location"), resp.Header, b}, nil
}

func digestOf(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }
