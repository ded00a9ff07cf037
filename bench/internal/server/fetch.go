package server

import (
	"bytes"
	"fmt"
	"time"

	"github.com/berth-registry/berth/bench/internal/http1"
)

// fetchWithin bounds a request that is not measured.
const fetchWithin = 30 * time.Second

// fetch sends a GET with some header lines on a connection of its own.
func fetch(addr, target string, header []byte) (status int, body []byte, err error) {
	c, err := http1.Dial(addr)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(fetchWithin)); err != nil {
		return 0, nil, err
	}
	req := http1.Request{Method: "GET", Target: []byte(target), Header: header}
	resp := new(http1.Response)
	if err := c.Do(&req, resp); err != nil {
		return 0, nil, err
	}
	return resp.Status, bytes.Clone(resp.Body), nil
}

// fetchOK demands the status 200.
func fetchOK(addr, target string, header []byte) ([]byte, error) {
	status, body, err := fetch(addr, target, header)
	if err == nil && status != 200 {
		err = fmt.Errorf("GET %s: status %d: %s", target, status, body)
	}
	return body, err
}
