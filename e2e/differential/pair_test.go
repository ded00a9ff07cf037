package differential

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/berth-registry/berth/server"
)

// pair is the two registries. It serves one sequence at a time.
type pair struct {
	root  string
	store *berth
	berth *side // what is tested
	dist  *side // the oracle

	spoiled map[int]bool                          // sessions that were finished with another content's digest
	observe func(method, target string, a answer) // sees what berth answers; may be nil
}

// openPair starts both registries, empty.
func openPair() (*pair, error) {
	root, err := os.MkdirTemp(scratch(), "berth-differential-")
	if err != nil {
		return nil, err
	}
	p := &pair{root: root}
	p.berth = newSide("berth", nil)
	p.dist = newSide("distribution", openDistribution(filepath.Join(root, "distribution")))
	return p, p.reset()
}

// scratch is where files cost no disk: this test is not about durability.
func scratch() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return os.TempDir()
}

// reset empties both registries.
func (p *pair) reset() error {
	if err := p.closeStore(); err != nil {
		return err
	}
	dir := filepath.Join(p.root, "berth")
	if err := errors.Join(os.RemoveAll(dir), os.RemoveAll(filepath.Join(p.root, "distribution"))); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	store, err := openBerth(dir)
	if err != nil {
		return err
	}
	p.store = store
	p.berth.serve(store)
	p.berth.sessions, p.dist.sessions, p.spoiled = map[int]session{}, map[int]session{}, map[int]bool{}
	return nil
}

func (p *pair) closeStore() error {
	if p.store == nil {
		return nil
	}
	store := p.store
	p.store = nil
	return store.close()
}

func (p *pair) close() error {
	p.berth.http.Close()
	p.dist.http.Close()
	return errors.Join(p.closeStore(), os.RemoveAll(p.root))
}

// side is one of the two registries, seen from outside.
type side struct {
	name     string
	http     *httptest.Server
	handler  atomic.Pointer[http.Handler]
	sessions map[int]session
}

// session is where an upload goes on at one registry.
type session struct {
	first, latest string // Location
}

func newSide(name string, h http.Handler) *side {
	s := &side{name: name, sessions: map[int]session{}}
	if h != nil {
		s.serve(h)
	}
	s.http = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*s.handler.Load()).ServeHTTP(w, r)
	}))
	server.Timeouts(s.http.Config)
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0) // distribution writes some headers twice
	s.http.Start()
	client := s.http.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Transport.(*http.Transport).DisableCompression = true
	return s
}

func (s *side) serve(h http.Handler) { s.handler.Store(&h) }
