package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestLimitSurvivesKill kills the server: what it had saved is still counted, and no quota is filled up.
func TestLimitSurvivesKill(t *testing.T) {
	s := startLimited(t)
	alice := s.addUser(t, "alice")
	s.push(t, alice, "alice/app", "1", newImage(t, ociTypes, "amd64"))
	for range 4 {
		s.manifest(t, alice, "alice/app", "1")
	}
	s.manifest(t, admin, "alice/app", "1") // once that is saved, so is what was before
	counts := filepath.Join(filepath.Dir(s.config), "data", "pulls.log")
	until(t, 10*time.Second, "the counts in "+counts, func() bool {
		data, err := os.ReadFile(counts)
		return err == nil && bytes.Contains(data, []byte("user:admin"))
	})
	equal(t, "pulls left", s.remaining(t, alice), pullLimit-4)
	s.kill(t)
	s.start(t)
	equal(t, "pulls left after kill -9", s.remaining(t, alice), pullLimit-4)
	s.exhaust(t, alice, "alice/app", "1")
	s.stop(t)
	s.start(t)
	equal(t, "pulls left after an orderly restart", s.remaining(t, alice), 0)
	s.call(t, alice, "GET", "alice/app", "/v2/alice/app/manifests/1", blob{}, 429)
}

// redisServer is Debian's, on a socket of its own. It keeps what it is told.
type redisServer struct {
	program program
	dir     string
	proc    *process
}

func startRedis(t *testing.T) *redisServer {
	t.Helper()
	dir := workDir(t)
	r := &redisServer{dir: dir, program: require(t, "redis-server").with("--port", "0", "--unixsocket", filepath.Join(dir, "s"),
		"--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--requirepass", "secret-of-redis")}
	r.start(t)
	t.Cleanup(func() {
		_ = r.proc.cmd.Process.Signal(syscall.SIGCONT)
		_ = r.proc.stop(30 * time.Second) // it ends with 0, or was killed
	})
	return r
}

func (r *redisServer) start(t *testing.T) {
	t.Helper()
	_ = os.Remove(filepath.Join(r.dir, "s"))
	proc, err := startProcess(r.program, filepath.Join(r.dir, "redis.log"))
	must(t, err)
	r.proc = proc
	until(t, 20*time.Second, "redis", func() bool {
		conn, err := net.Dial("unix", filepath.Join(r.dir, "s"))
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

func (r *redisServer) url() string { return "unix://:secret-of-redis@" + filepath.Join(r.dir, "s") }

// TestLimitOverReplicas has 192 clients at three processes take the last 100 pulls of one user.
func TestLimitOverReplicas(t *testing.T) {
	redis := startRedis(t)
	var tokens, addrs []string
	for range 3 {
		s := startServer(t, "BERTH_REDIS_URL="+redis.url(), "BERTH_RATELIMIT_AUTHENTICATED=150")
		alice := s.addUser(t, "alice")
		s.push(t, alice, "alice/app", "1", newImage(t, ociTypes, "amd64"))
		if len(addrs) == 0 {
			for range 50 {
				s.manifest(t, alice, "alice/app", "1")
			}
		}
		equal(t, "pulls left as each process sees it", s.remaining(t, alice), 100)
		addrs, tokens = append(addrs, s.addr), append(tokens, s.token(t, alice, "repository:alice/app:pull"))
	}
	var served, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range addrs {
		for range 64 {
			wg.Go(func() {
				for range 2 {
					switch status, err := pull(t.Context(), addrs[i], tokens[i]); {
					case err == nil && status == http.StatusOK:
						served.Add(1)
					case err == nil && status == http.StatusTooManyRequests:
						refused.Add(1)
					default:
						t.Errorf("%d, %v", status, err)
					}
				}
			})
		}
	}
	wg.Wait()
	equal(t, "pulls served", served.Load(), 100)
	equal(t, "pulls refused", refused.Load(), 3*64*2-100)
}

// pull asks for alice/app:1.
func pull(ctx context.Context, addr, token string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/v2/alice/app/manifests/1", nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// metric returns the value of a metric without labels.
func (s *server) metric(t *testing.T, name string) float64 {
	t.Helper()
	resp, err := http.Get("http://" + s.addr + "/metrics")
	must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(body)
	if found == nil {
		t.Fatalf("no metric %s", name)
	}
	value, err := strconv.ParseFloat(string(found[1]), 64)
	must(t, err)
	return value
}

// TestRedisFailsUnderLoad pauses Redis, and kills and restarts it, while four clients pull without end: every pull is
// served, the alert metric says so, and afterwards pulls are counted there again, from where they were.
func TestRedisFailsUnderLoad(t *testing.T) {
	redis := startRedis(t)
	s := startServer(t, "BERTH_REDIS_URL="+redis.url(), "BERTH_RATELIMIT_AUTHENTICATED=1000000")
	alice := s.addUser(t, "alice")
	s.push(t, alice, "alice/app", "1", newImage(t, ociTypes, "amd64"))
	token := s.token(t, alice, "repository:alice/app:pull")
	ctx, stop := context.WithCancel(t.Context())
	var served atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				status, err := pull(ctx, s.addr, token)
				if err == nil && status == http.StatusOK {
					served.Add(1)
				} else if !errors.Is(err, context.Canceled) {
					t.Errorf("%d, %v", status, err)
					return
				}
			}
		})
	}
	more := func(what string, n int64) {
		t.Helper()
		before := served.Load()
		until(t, 30*time.Second, fmt.Sprint(n, " pulls ", what), func() bool { return served.Load() >= before+n || t.Failed() })
	}
	down := func(want float64) {
		t.Helper()
		until(t, 30*time.Second, fmt.Sprint("berth_pull_redis_down ", want), func() bool { return s.metric(t, "berth_pull_redis_down") == want })
	}
	more("counted in redis", 200)
	down(0)

	must(t, redis.proc.cmd.Process.Signal(syscall.SIGSTOP))
	down(1)
	more("while redis is paused", 200)
	must(t, redis.proc.cmd.Process.Signal(syscall.SIGCONT))
	down(0)
	more("after redis went on", 200)

	must(t, redis.proc.cmd.Process.Kill())
	<-redis.proc.done
	down(1)
	more("without redis", 200)
	redis.start(t)
	down(0)
	before := s.remaining(t, alice)
	more("after redis was restarted", 200)
	stop()
	wg.Wait()
	if after := s.remaining(t, alice); after > before-200 || after < 1_000_000-int(served.Load()) {
		t.Errorf("%d pulls left of a million, %d before the last 200, after %d pulls", after, before, served.Load())
	}
	if errs := s.metric(t, "berth_pull_redis_errors_total"); errs < 2 {
		t.Errorf("%v errors counted", errs)
	}
	log := readFile(t, s.proc.log)
	contains(t, "log", log, "this process counts pulls alone")
	contains(t, "log", log, "counted there again")
	lacks(t, "log", log, "secret-of-redis")
}
