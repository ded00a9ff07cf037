package ldap

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/proof"
	"github.com/berth-registry/berth/oci"
)

// How much is asked of the directory at a time. Equal questions are one.
const (
	maxConnections = 8
	maxFlights     = 64 // that are under way or wait for a connection
	maxFlightsEach = 4  // about one name
)

// timeout is how long an exchange may take, waiting for a connection included.
const timeout = 10 * time.Second

// question is what the directory is asked: about a name, and its password
// unless that is empty.
type question struct {
	name, password string
	key            proof.Proof
}

// flights are the questions that are being asked.
type flights struct {
	mu          sync.Mutex
	all         map[proof.Proof]*flight
	connections chan struct{}
}

// flight is one exchange that several logins may wait for.
type flight struct {
	name   string
	done   chan struct{} // closed when the result is set
	person auth.Person
	err    error
}

func newFlights() flights {
	return flights{all: make(map[proof.Proof]*flight), connections: make(chan struct{}, maxConnections)}
}

// join returns the flight of a question: the one that is there already, or a
// new one. auth.ErrTooManyLogins if there are too many. The caller holds mu.
func (fs *flights) join(q question, run func(context.Context) (auth.Person, error)) (*flight, error) {
	if f, ok := fs.all[q.key]; ok {
		return f, nil
	}
	if len(fs.all) >= maxFlights || fs.about(q.name) >= maxFlightsEach {
		return nil, auth.ErrTooManyLogins
	}
	f := &flight{name: q.name, done: make(chan struct{})}
	fs.all[q.key] = f
	go fs.fly(f, q.key, run)
	return f, nil
}

func (fs *flights) about(name string) int {
	n := 0
	for _, f := range fs.all {
		if f.name == name {
			n++
		}
	}
	return n
}

// fly belongs to no login: who asked first may be gone while others want the
// same.
func (fs *flights) fly(f *flight, key proof.Proof, run func(context.Context) (auth.Person, error)) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	f.person, f.err = fs.connected(ctx, run)
	fs.mu.Lock()
	defer fs.mu.Unlock()
	delete(fs.all, key)
	close(f.done)
}

func (fs *flights) connected(ctx context.Context, run func(context.Context) (auth.Person, error)) (auth.Person, error) {
	select {
	case fs.connections <- struct{}{}:
		defer func() { <-fs.connections }()
		return run(ctx)
	case <-ctx.Done():
		return auth.Person{}, fmt.Errorf("%w: no connection to the directory was free: %w", oci.ErrUnavailable, ctx.Err())
	}
}

// wait returns the result, or the error of ctx.
func (f *flight) wait(ctx context.Context) (auth.Person, error) {
	select {
	case <-f.done:
		return f.person, f.err
	case <-ctx.Done():
		return auth.Person{}, ctx.Err()
	}
}
