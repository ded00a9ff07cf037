package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

// Client calls the API of a running server.
type Client struct {
	http   http.Client
	socket string
}

// Dial returns a client of the server that listens on a unix socket. It
// connects with the first call.
func Dial(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &Client{
		http:   http.Client{Transport: &http.Transport{DialContext: dial}, Timeout: time.Minute},
		socket: socket,
	}
}

// Users lists all users.
func (c *Client) Users(ctx context.Context) (users []User, err error) {
	return users, c.call(ctx, http.MethodGet, "/users", nil, &users)
}

// AddUser adds a user.
func (c *Client) AddUser(ctx context.Context, u NewUser) error {
	return c.call(ctx, http.MethodPost, "/users", u, nil)
}

// RemoveUser removes a user.
func (c *Client) RemoveUser(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, "/users/"+url.PathEscape(name), nil, nil)
}

// SetPassword changes a user's password.
func (c *Client) SetPassword(ctx context.Context, name, password string) error {
	return c.call(ctx, http.MethodPut, "/users/"+url.PathEscape(name)+"/password", Password{password}, nil)
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://berth/api/v1"+path, body)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		var p Problem
		if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
			return fmt.Errorf("the server answered %s", resp.Status)
		}
		return errors.New(p.Error)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

// unreachable says in words what a failed connection to the socket means.
func (c *Client) unreachable(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no server listens on %s: is `berth serve` running with this configuration?", c.socket)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s may be opened by the server's own user only", c.socket)
	}
	return err
}
