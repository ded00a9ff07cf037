package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestOthersWhileOneIsAttacked guesses at one account over 64 connections, from one address and from 64, while others
// get their tokens. Nobody else is refused, next to no guess is looked at, and the latencies are printed.
func TestOthersWhileOneIsAttacked(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.addUser(t, "alice")
	const fresh, repeated = 6, 200
	users := 0
	measure := func() (first, again latencies) {
		for range fresh { // each pays for a bcrypt
			u := s.addUser(t, fmt.Sprint("user-", users))
			users++
			first = append(first, s.tokenLatency(t, u))
		}
		u := s.addUser(t, fmt.Sprint("user-", users))
		users++
		s.tokenLatency(t, u)
		for range repeated { // what kubelets and runners do: remembered for a minute
			again = append(again, s.tokenLatency(t, u))
		}
		return first, again
	}
	for _, addresses := range []int{0, 1, 64} {
		a := s.attack(t, "alice", addresses)
		first, again := measure()
		guesses, looked := a.stop()
		t.Logf("%2d addresses attack: a token by a first login %v, by a repeated one %v; %d guesses, %d looked at", addresses, first, again, guesses, looked)
		// Three of each address are free. The rest is the delay that has passed: 9 in its first four minutes.
		if most := int64(addresses) * 12; looked > most || addresses > 0 && guesses < 64 {
			t.Errorf("%d addresses: %d of %d guesses were looked at, want at most %d", addresses, looked, guesses, most)
		}
	}
	if log := readFile(t, s.audit()); strings.Contains(log, "guess-") || !strings.Contains(log, `"account":"user:alice"`) {
		t.Error("the audit trail has guesses, or not whose account was tried")
	}
}

// audit is the file of the audit trail.
func (s *server) audit() string { return filepath.Join(filepath.Dir(s.config), "audit.log") }

// latencies are how long requests took.
type latencies []time.Duration

func (l latencies) String() string {
	l = slices.Sorted(slices.Values(l))
	at := func(percent int) time.Duration { return l[(len(l)-1)*percent/100].Round(10 * time.Microsecond) }
	return fmt.Sprintf("p50 %v p90 %v p99 %v", at(50), at(90), at(99))
}

// tokenLatency gets a token, which nobody may refuse.
func (s *server) tokenLatency(t *testing.T, u user) time.Duration {
	t.Helper()
	begin := time.Now()
	status, err := askForToken(t.Context(), http.DefaultClient, s.addr, u.name, u.password)
	must(t, err)
	equal(t, "a token for "+u.name, status, http.StatusOK)
	return time.Since(begin)
}

func askForToken(ctx context.Context, client *http.Client, addr, name, password string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/token?service=berth", nil)
	if err != nil {
		return 0, err
	}
	req.SetBasicAuth(name, password)
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// attack is 64 connections that guess at one account.
type attack struct {
	cancel          context.CancelFunc
	all             sync.WaitGroup
	guesses, looked atomic.Int64
}

// attack starts an attack from a number of addresses, and returns when each connection has guessed.
func (s *server) attack(t *testing.T, name string, addresses int) *attack {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	a := &attack{cancel: cancel}
	if addresses == 0 {
		return a
	}
	var begun sync.WaitGroup
	for i := range 64 {
		begun.Add(1)
		from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%addresses))}}
		client := &http.Client{Transport: &http.Transport{DialContext: from.DialContext}}
		a.all.Go(func() {
			defer client.CloseIdleConnections()
			for n := 0; ctx.Err() == nil; n++ {
				a.guess(ctx, t, client, s.addr, name, fmt.Sprint("guess-", os.Getpid(), "-", i, "-", n))
				if n == 0 {
					begun.Done()
				}
			}
		})
	}
	begun.Wait()
	return a
}

func (a *attack) guess(ctx context.Context, t *testing.T, client *http.Client, addr, name, password string) {
	switch status, err := askForToken(ctx, client, addr, name, password); {
	case ctx.Err() != nil:
		return
	case err != nil:
		t.Errorf("a guess: %v", err)
	case status == http.StatusUnauthorized:
		a.looked.Add(1)
	case status != http.StatusTooManyRequests:
		t.Errorf("a guess is answered %d", status)
	}
	a.guesses.Add(1)
}

// stop ends the attack and says how many guesses it made, and how many passwords the server has looked at.
func (a *attack) stop() (guesses, looked int64) {
	a.cancel()
	a.all.Wait()
	return a.guesses.Load(), a.looked.Load()
}
