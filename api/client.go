package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// maxAnswer bounds an answer in bytes.
const maxAnswer = 32 << 20

// Client calls the API of a running server.
type Client struct {
	http   http.Client
	base   string // URL up to the prefix
	token  string // "": none
	socket string // "": over the network
}

// Dial returns a client of the server that listens on a unix socket. It
// connects with the first call.
func Dial(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &Client{http: newHTTP(&http.Transport{DialContext: dial}), base: "http://berth", socket: socket}
}

// NewClient returns a client of the server at an http, https or unix URL
// (unix:///run/berth/admin.sock), which shows a personal or API token if there
// is one.
func NewClient(server, token string) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("a server is an http, https or unix URL without user and query")
	}
	switch {
	case u.Scheme == "unix" && u.Host == "" && u.Path != "":
		c := Dial(u.Path)
		c.token = token
		return c, nil
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		transport := http.DefaultTransport.(*http.Transport).Clone()
		return &Client{http: newHTTP(transport), base: strings.TrimSuffix(u.String(), "/"), token: token}, nil
	}
	return nil, fmt.Errorf("a server is an http, https or unix URL such as https://registry.example.org, not %q", server)
}

// newHTTP follows no redirect: the token is for one server.
func newHTTP(t *http.Transport) http.Client {
	return http.Client{
		Transport: t, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// call sends a request and decodes the answer into out, unless it is nil.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	_, err := c.exchange(ctx, method, path, in, out)
	return err
}

func (c *Client) exchange(ctx context.Context, method, path string, in, out any) (http.Header, error) {
	req, err := c.request(ctx, method, path, in)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	defer resp.Body.Close()
	if err := refusal(resp); err != nil || out == nil {
		return resp.Header, err
	}
	return resp.Header, json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(out)
}

// refusal is the error that an answer tells of, or nil.
func refusal(resp *http.Response) error {
	if resp.StatusCode < 300 {
		return nil
	}
	var p Problem
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&p); err != nil || p.Error == "" {
		return fmt.Errorf("the server answered %s", resp.Status)
	}
	return errors.New(p.Error)
}

// rows reads a list of any length, an entry at a time.
func rows[T any](ctx context.Context, c *Client, path string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		req, err := c.request(ctx, http.MethodGet, path, nil)
		if err != nil {
			yield(zero, err)
			return
		}
		resp, err := c.http.Do(req)
		if err != nil {
			yield(zero, c.unreachable(err))
			return
		}
		defer resp.Body.Close()
		err = refusal(resp)
		d := json.NewDecoder(resp.Body)
		if err == nil {
			_, err = d.Token() // [
		}
		for err == nil && d.More() {
			var entry T
			if err = d.Decode(&entry); err == nil && !yield(entry, nil) {
				return
			}
		}
		if err == nil {
			_, err = d.Token() // ], or the answer was cut off
		}
		if err != nil {
			yield(zero, err)
		}
	}
}

func (c *Client) request(ctx context.Context, method, path string, in any) (*http.Request, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+prefix+path, body)
	if err != nil {
		return nil, err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req, nil
}

// unreachable says in words what a failed connection to the socket means.
func (c *Client) unreachable(err error) error {
	switch {
	case c.socket == "":
		return err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no server listens on %s: is `berth serve` running with this configuration?", c.socket)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s may be opened by the server's own user only", c.socket)
	}
	return err
}

// pages reads a listing to its end.
func pages[T any](ctx context.Context, c *Client, path string, query url.Values, name func(T) string) ([]T, error) {
	whole := []T{}
	query.Set("n", fmt.Sprint(maxPage))
	for {
		var page []T
		header, err := c.exchange(ctx, http.MethodGet, path+"?"+query.Encode(), nil, &page)
		if err != nil {
			return nil, err
		}
		whole = append(whole, page...)
		if header.Get("Link") == "" || len(page) == 0 {
			return whole, nil
		}
		query.Set("last", name(page[len(page)-1]))
	}
}
