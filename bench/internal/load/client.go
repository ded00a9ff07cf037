package load

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Access lets the client in. For a server that asks nobody who he is, all of it is empty.
type Access interface {
	Token(scopes ...string) ([]byte, error) // an Authorization header line
	TokenPath(scopes ...string) string      // where Token asks, with Basic
	Basic() []byte                          // an Authorization header line
}

// Options of a Client.
type Options struct {
	Fillers  int  // connections that fill the server
	Extended bool // it has the specification's ?tag=
}

// Client is the load generator of one server. It remembers what it stored there.
type Client struct {
	Options
	addr     string
	access   Access
	visitor  Access       // of a user who may pull nothing, or nil
	requests atomic.Int64 // below /v2/
	created  int          // repositories that createRepositories has numbered

	mu    sync.Mutex
	repos map[string]bool // all that exist
	tags  map[string]int  // how many, of the repositories whose tags are counted
	pulls *pulls
}

// NewClient returns a client of an empty server.
func NewClient(addr string, access Access, o Options) *Client {
	return &Client{Options: o, addr: addr, access: access, repos: map[string]bool{}, tags: map[string]int{}}
}

// Move makes c a client of the same data at another address. visitor is a user who may pull nothing of it, or nil.
func (c *Client) Move(addr string, access, visitor Access) {
	c.addr, c.access, c.visitor = addr, access, visitor
}

// Requests is how many requests were sent below /v2/.
func (c *Client) Requests() int64 { return c.requests.Load() }

// stored remembers that tags more tags of a repository exist.
func (c *Client) stored(repo string, tags int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.repos[repo] = true
	c.tags[repo] += tags
}

// repositories returns all, sorted.
func (c *Client) repositories() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := make([]string, 0, len(c.repos))
	for name := range c.repos {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func pull(repo string) string { return "repository:" + repo + ":pull" }
func push(repo string) string { return "repository:" + repo + ":pull,push" }

const catalogScope = "registry:catalog:*"

// once runs a function on a connection of its own.
func (c *Client) once(auth []byte, f func(w *Worker) error) error {
	w, err := newWorker(c, auth)
	if err != nil {
		return err
	}
	defer w.close()
	return f(w)
}

// each runs op for 0 to n-1 on many connections, unmeasured.
func (c *Client) each(auth []byte, n int, op func(w *Worker, i int) error) error {
	s, err := c.Open(&Plan{Auth: auth, Op: op}, min(c.Fillers, max(n, 1)))
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.Run(n, 0)
	return err
}

// name is a repository, tag or the like with a number, such that names sort as their numbers do.
func name(prefix string, i int) string { return fmt.Sprintf("%s%07d", prefix, i) }
