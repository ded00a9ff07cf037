package server_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/bcrypt"

	"github.com/berth-registry/berth/audit"
	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/auth/personal"
	"github.com/berth-registry/berth/auth/robot"
	"github.com/berth-registry/berth/auth/token"
	"github.com/berth-registry/berth/internal/httpx"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/metadata/bolt"
	"github.com/berth-registry/berth/ratelimit"
	"github.com/berth-registry/berth/ratelimit/memory"
	"github.com/berth-registry/berth/ratelimit/pulls"
	"github.com/berth-registry/berth/registry"
	"github.com/berth-registry/berth/server"
	"github.com/berth-registry/berth/storage"
	"github.com/berth-registry/berth/storage/filesystem"
)

const (
	service  = "registry.test" // audience of the tokens
	issuer   = "berth.test"
	password = "correct horse" // of every user
)

// defaultGrants: who is known owns a namespace, and what is public everybody
// pulls. A grant is written "who actions pattern".
var defaultGrants = []string{
	"authenticated * ${user}/**",
	"anonymous pull public/**",
	"authenticated pull public/**",
	"user:alice * team/**",
	"user:bob pull team/**",
	"user:carol push drop/**",
}

// settings are what a test changes of a stack. The zero value is good.
type settings struct {
	grants      []string      // defaultGrants
	sparse      []string      // patterns
	maxManifest int64         // 4 MiB
	maxBlob     int64         // no limit
	maxSessions int           // 100
	url         string        // as the request says
	proxies     httpx.Proxies // none
	checks      []server.Check
	log         *slog.Logger                                            // nowhere
	storage     func(storage.Store) storage.Store                       // between registry and files
	wrap        func(http.Handler) http.Handler                         // between server and net/http
	listen      func(http.Handler) *httptest.Server                     // with server.Timeouts, on loopback
	meta        func(registry.Metadata) registry.Metadata               // between registry and bolt
	auth        func(next server.Authenticator) server.Authenticator    // before the real one
	registry    func(next *registry.Registry, _ *stack) server.Registry // before the real one
	expire      time.Duration                                           // 24 h
	browser     server.Browser                                          // none
	tokens      server.TokenMaker                                       // none
	clientCerts server.ClientCerts                                      // none
	refresh     bool                                                    // refresh tokens are on
	door        func(auth.PasswordVerifier) auth.PasswordVerifier       // before the real one
	api         bool                                                    // /api is mounted
	limits      *pulls.Policy                                           // pulls are not limited
	counters    ratelimit.Counters                                      // in memory
	usage       server.Usage                                            // nobody is told
	perMinute   int64                                                   // requests are not limited
}

// stack is a whole registry: the real stores in a directory, the real
// accounts and token keys, registry, server and a listener on loopback.
type stack struct {
	testing.TB
	settings
	dir   string
	clock *clock

	bolt     *bolt.Store
	files    *filesystem.Store
	accounts *account.Accounts
	robots   *robot.Robots
	personal *personal.Tokens
	policy   *auth.Live
	limiter  *pulls.Limiter
	requests *pulls.Requests
	issuer   *token.Issuer
	reg      *registry.Registry
	server   *server.Server
	handler  http.Handler
	http     *httptest.Server
	client   *http.Client

	trail *trail // what was audited

	session string // path of the last upload session, {session} in rows
	closed  bool
}

// clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// newStack starts a stack in a directory of its own and stops it with the
// test.
func newStack(tb testing.TB, with settings) *stack {
	tb.Helper()
	s := &stack{TB: tb, settings: with, dir: tb.TempDir(), clock: &clock{at: time.Now()}}
	if s.grants == nil {
		s.grants = defaultGrants
	}
	s.maxManifest = orDefault(s.maxManifest, 4<<20)
	s.maxSessions = orDefault(s.maxSessions, 100)
	s.expire = orDefault(s.expire, 24*time.Hour)
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.listen == nil {
		s.listen = listen
	}
	s.open()
	tb.Cleanup(s.close)
	return s
}

func orDefault[T comparable](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}

func listen(h http.Handler) *httptest.Server {
	hs := httptest.NewUnstartedServer(h)
	server.Timeouts(hs.Config)
	hs.Start()
	return hs
}

// restart ends the process, as far as the stores can tell, and starts it
// again on the same directory.
func (s *stack) restart() {
	s.Helper()
	s.close()
	s.open()
}

func (s *stack) close() {
	if s.closed {
		return
	}
	s.closed = true
	s.http.Close()
	s.reg.Close()
	s.must(s.robots.Close())
	s.must(s.personal.Close())
	s.must(s.bolt.Close())
	s.must(s.files.Close())
}

func (s *stack) open() {
	s.Helper()
	s.closed = false
	var err error
	s.bolt, err = bolt.Open(filepath.Join(s.dir, "berth.db"), bolt.Options{Now: s.clock.now})
	s.must(err)
	s.files, err = filesystem.Open(filepath.Join(s.dir, "storage"), filesystem.Options{})
	s.must(err)
	var store storage.Store = s.files
	if s.storage != nil {
		store = s.storage(store)
	}
	var meta registry.Metadata = s.bolt
	if s.meta != nil {
		meta = s.meta(meta)
	}
	s.reg = registry.New(meta, store, registry.Options{
		MaxManifest: s.maxManifest,
		MaxBlob:     s.maxBlob,
		MaxSessions: s.maxSessions,
		SessionIdle: s.expire,
		Sparse:      s.isSparse,
		Now:         s.clock.now,
		Log:         s.log,
	})
	s.openAuth()
	s.openServer()
}

func (s *stack) openAuth() {
	s.Helper()
	var static []metadata.User
	for _, name := range []string{"alice", "bob", "carol"} {
		static = append(static, metadata.User{Name: name, Bcrypt: passwordHash()})
	}
	static = append(static, metadata.User{Name: "root", Bcrypt: passwordHash(), Admin: true})
	var err error
	s.accounts, err = account.New(account.Options{Users: s.bolt, Static: static, Dir: s.dir, Cost: bcrypt.MinCost})
	s.must(err)
	s.robots, s.personal = robot.New(s.bolt), personal.New(s.bolt, s.accounts)
	keys, err := token.Load([]string{filepath.Join(s.dir, "token.key")})
	s.must(err)
	s.issuer = &token.Issuer{Keys: keys, Issuer: issuer, Service: service, TTL: 5 * time.Minute}
	s.policy = auth.NewLive(parseGrants(s.TB, s.grants))
}

func (s *stack) openServer() {
	s.Helper()
	var door auth.PasswordVerifier = auth.Door{Robots: s.robots, Personal: s.personal, Users: s.accounts}
	if s.door != nil {
		door = s.door(door)
	}
	s.trail = new(trail)
	logins := audit.NewLogins(door, s.trail, func(string, audit.Outcome) {})
	var authenticator server.Authenticator = auth.Authenticator{
		Tokens:   token.NewVerifier(s.issuer.Keys, issuer, service),
		Accounts: logins,
		Client:   s.proxies.Client,
		Now:      s.clock.now,
	}
	if s.auth != nil {
		authenticator = s.auth(authenticator)
	}
	var reg server.Registry = s.reg
	if s.registry != nil {
		reg = s.registry(s.reg, s)
	}
	checks := s.checks
	if checks == nil {
		checks = []server.Check{{Name: "storage", Check: s.files.Check}, {Name: "metadata", Check: s.bolt.Check}}
	}
	s.openLimits()
	config := server.Config{
		Registry:    reg,
		Auth:        authenticator,
		Accounts:    logins,
		Logins:      logins,
		Issuer:      s.issuer,
		Refresher:   s.refresher(),
		Gate:        auth.Gate{Policy: s.policy, Standing: auth.Standings{Robots: s.robots, Personal: s.personal, Users: s.accounts}},
		Service:     service,
		URL:         s.url,
		Proxies:     s.proxies,
		MaxManifest: s.maxManifest,
		JWKS:        s.issuer.Keys.JWKS,
		API:         s.administration(logins),
		Checks:      checks,
		Audit:       s.trail,
		Browser:     s.browser,
		Tokens:      s.tokens,
		ClientCerts: s.clientCerts,
		Metrics:     server.NewRecording(prometheus.NewRegistry()),
		MetricsHere: true,
		Usage:       s.usage,
		Log:         s.log,
		Now:         s.clock.now,
	}
	if s.limiter != nil {
		config.Limits = s.limiter
	}
	if s.requests != nil {
		config.Flood = s.requests
	}
	s.server = server.New(config)
	s.handler = s.server
	if s.wrap != nil {
		s.handler = s.wrap(s.handler)
	}
	s.http = s.listen(s.handler)
	s.client = s.http.Client()
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if t, ok := s.client.Transport.(*http.Transport); ok {
		t.DisableCompression = true
	}
}

func (s *stack) openLimits() {
	s.Helper()
	if s.limits != nil {
		counters := s.counters
		if counters == nil {
			c, err := memory.New(memory.Options{}, s.clock.now())
			s.must(err)
			counters = c
		}
		s.limiter = pulls.NewLimiter(s.limits, counters, s.bolt)
	}
	if s.perMinute > 0 {
		var err error
		s.requests, err = pulls.NewRequests(s.perMinute, s.clock.now())
		s.must(err)
	}
}

func (s *stack) refresher() server.Refresher {
	if !s.refresh {
		return nil
	}
	return &token.Refresher{Keys: s.issuer.Keys, Issuer: issuer, Service: service, Users: s.accounts}
}

func (s *stack) isSparse(repo string) bool {
	for _, text := range s.sparse {
		if p, err := auth.ParsePattern(text); err == nil && p.Match(repo, "") {
			return true
		}
	}
	return false
}

func (s *stack) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// passwordHash is the hash of password, made once for all tests.
var passwordHash = sync.OnceValue(func() string {
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		panic(err)
	}
	return string(h)
})

func parseGrants(tb testing.TB, texts []string) *auth.Policy {
	tb.Helper()
	var grants []auth.Grant
	for _, text := range texts {
		part := strings.Fields(text)
		g, err := auth.ParseGrant(part[:1], part[2:], strings.Split(part[1], ","), false)
		if err != nil {
			tb.Fatalf("grant %q: %v", text, err)
		}
		grants = append(grants, g)
	}
	return auth.NewPolicy(grants)
}

// addUser makes a user who, unlike alice, bob and carol, can be removed.
func (s *stack) addUser(name string) {
	s.Helper()
	s.must(s.accounts.Add(context.Background(), name, password, false, nil, s.clock.now()))
}
