package issuer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/berth-registry/berth/auth"
)

const (
	maxDocument = 256 << 10        // bytes of a JWK Set or of an issuer's metadata
	fetchFor    = 10 * time.Second // all requests of one fetch together
)

// errNotFound means an answer 404.
var errNotFound = errors.New("there is no such document")

// newClient returns what documents are fetched by. A redirect is an answer like
// any other that is not 200: what was configured is where keys come from.
func newClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// newTransport is Go's with its proxies and certificate authorities, for one
// small request now and then.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableKeepAlives, t.DisableCompression = true, true
	t.MaxResponseHeaderBytes = 64 << 10
	return t
}

// get returns the document at a URL, which is checked again: it may be what an
// issuer's metadata says.
func get(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	if err := auth.CheckKeysURL(url); err != nil {
		return nil, fmt.Errorf("the URL of the keys %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "berth")
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return nil, fmt.Errorf("GET %s: %w", url, errNotFound)
	case resp.StatusCode/100 == 3:
		return nil, fmt.Errorf("GET %s: redirects are not followed", url)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("GET %s: status %d", url, resp.StatusCode)
	}
	data, err := readAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", url, err)
	}
	return data, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := readAll(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return data, nil
}

func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if len(data) > maxDocument {
		return nil, fmt.Errorf("it is longer than %d bytes", maxDocument)
	}
	return data, err
}
