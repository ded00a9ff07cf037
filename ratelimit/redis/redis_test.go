package redis_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/berth-registry/berth/ratelimit"
	"github.com/berth-registry/berth/ratelimit/ratelimittest"
	"github.com/berth-registry/berth/ratelimit/redis"
)

var (
	ctx   = context.Background()
	alice = ratelimit.Named(ratelimit.User, "alice")
	limit = ratelimit.Limit{Pulls: 100, Window: time.Hour}
)

func ok(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// server is a redis-server of our own on a unix socket.
type server struct {
	testing.TB
	dir string
	cmd *exec.Cmd
}

// start starts one, or skips the test where none is installed.
func start(tb testing.TB) *server {
	tb.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("BERTH_REQUIRE") == "all" {
			tb.Fatal("redis-server is not installed")
		}
		tb.Skip("redis-server is not installed")
	}
	dir, err := os.MkdirTemp("", "berth") // short: a socket's path has 107 bytes
	ok(tb, err)
	s := &server{TB: tb, dir: dir}
	tb.Cleanup(func() {
		s.kill()
		_ = os.RemoveAll(dir)
	})
	s.run(path)
	return s
}

func (s *server) run(path string) {
	s.Helper()
	s.cmd = exec.CommandContext(ctx, path, "--port", "0", "--unixsocket", s.socket(), "--dir", s.dir, "--save", "", "--appendonly", "yes", "--requirepass", "secret")
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	ok(s, s.cmd.Start())
	for deadline := time.Now().Add(20 * time.Second); ; {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", s.socket())
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			s.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond) // polling, bounded by the deadline
	}
}

func (s *server) socket() string { return filepath.Join(s.dir, "s") }

func (s *server) url() string { return "unix://:secret@" + s.socket() }

func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// restart kills the server and starts it again with what it had stored.
func (s *server) restart() {
	s.Helper()
	s.kill()
	_ = os.Remove(s.socket())
	s.run(s.cmd.Path)
}

func (s *server) counters(opts redis.Options) *redis.Counters {
	s.Helper()
	opts.URL = s.url()
	c, err := redis.New(opts)
	ok(s, err)
	s.Cleanup(func() { ok(s, c.Close()) })
	return c
}

func TestCounters(t *testing.T) {
	ratelimittest.Run(t, func(tb testing.TB, clock *ratelimittest.Clock) ratelimit.Counters {
		return start(tb).counters(redis.Options{Clock: clock.Now})
	})
}

// TestReplicas has three clients of one server, each with 64 goroutines, take
// what is left.
func TestReplicas(t *testing.T) {
	s := start(t)
	var allowed, refused atomic.Int64
	var wg sync.WaitGroup
	for range 3 {
		c := s.counters(redis.Options{})
		for range 64 {
			wg.Go(func() {
				for range 3 {
					d, err := c.Take(ctx, alice, limit, 1, time.Time{})
					switch {
					case err != nil:
						t.Error(err)
					case d.Allowed:
						allowed.Add(1)
					default:
						refused.Add(1)
					}
				}
			})
		}
	}
	wg.Wait()
	if allowed.Load() != 100 || refused.Load() != 3*64*3-100 {
		t.Errorf("%d allowed and %d refused, want 100 and %d", allowed.Load(), refused.Load(), 3*64*3-100)
	}
}

// TestServersClock goes by the clock of the server, whatever that of a replica
// is, and lets keys expire with their window.
func TestServersClock(t *testing.T) {
	s := start(t)
	c := s.counters(redis.Options{})
	d, err := c.Take(ctx, alice, limit, 100, time.Unix(0, 0))
	ok(t, err)
	if age := time.Since(d.At); !d.Allowed || age < -time.Minute || age > time.Minute {
		t.Errorf("%+v", d)
	}
	if d, err = c.Take(ctx, alice, limit, 1, time.Now().AddDate(1, 0, 0)); err != nil || d.Allowed {
		t.Errorf("a clock that is ahead forgets: %+v, %v", d, err)
	}
	out, err := exec.CommandContext(ctx, "redis-cli", "-s", s.socket(), "--no-auth-warning", "-a", "secret", "PTTL", "berth:pulls:user:alice").Output()
	ok(t, err)
	var ms int64
	_, err = fmt.Sscan(string(out), &ms)
	ok(t, err)
	if most := (limit.Window + ratelimit.SlotLength(limit.Window) + time.Second).Milliseconds(); ms <= limit.Window.Milliseconds()-60_000 || ms > most {
		t.Errorf("the key expires in %d ms, want about %d", ms, limit.Window.Milliseconds())
	}
}

// TestRestart finds the counts again after the server was killed, if it stores
// them, and the script anew.
func TestRestart(t *testing.T) {
	s := start(t)
	c := s.counters(redis.Options{})
	_, err := c.Take(ctx, alice, limit, 7, time.Time{})
	ok(t, err)
	ok(t, c.Check(ctx))
	s.restart()
	for deadline := time.Now().Add(20 * time.Second); c.Check(ctx) != nil; {
		if time.Now().After(deadline) {
			t.Fatal(c.Check(ctx))
		}
	}
	for count, err := range c.Counts(ctx, time.Time{}) {
		if ok(t, err); count.Key != alice || count.Limit != limit {
			t.Errorf("%+v", count)
		}
	}
	d, err := c.Take(ctx, alice, limit, 1, time.Time{})
	if ok(t, err); !d.Allowed || d.Used < 1 {
		t.Errorf("%+v", d)
	}
}

// TestUnreachable fails soon, and says nothing of the password.
func TestUnreachable(t *testing.T) {
	s := start(t)
	c := s.counters(redis.Options{})
	ok(t, c.Check(ctx))
	s.kill()
	_, err := c.Take(ctx, alice, limit, 1, time.Time{})
	listing := error(nil)
	for _, err := range c.Counts(ctx, time.Time{}) {
		listing = err
	}
	for _, err := range []error{err, listing, c.Check(ctx), c.Reset(ctx, alice), c.GiveBack(ctx, alice, 1, ratelimit.Decision{})} {
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := c.Take(canceled, alice, limit, 1, time.Time{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for _, url := range []string{"http://user:secret@host", "redis://user:secret@host:port/x", "://secret"} {
		if _, err := redis.New(redis.Options{URL: url}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v", err)
		}
	}
}

func BenchmarkTake(b *testing.B) {
	c := start(b).counters(redis.Options{})
	for b.Loop() {
		_, err := c.Take(ctx, alice, ratelimit.Limit{Pulls: 1_000_000_000, Window: 6 * time.Hour}, 1, time.Time{})
		ok(b, err)
	}
}
