package guess_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/auth/guess"
	"github.com/berth-registry/berth/metadata"
)

// counted is the accounts, and how often one of them is asked for.
type counted struct {
	next  auth.PasswordVerifier
	alice atomic.Int64
}

func (c *counted) Login(ctx context.Context, who auth.Credentials, now time.Time) (auth.Principal, error) {
	if who.Name == "alice" {
		c.alice.Add(1)
	}
	return c.next.Login(ctx, who, now)
}

// TestOthersWhileOneIsAttacked: 64 connections guess alice's password as fast
// as this machine can, from one client and from 64. Next to nothing of it is
// looked at, and nobody else is refused.
func TestOthersWhileOneIsAttacked(t *testing.T) {
	const cost, logins = 6, 30 // of some 4 ms
	hash, err := bcrypt.GenerateFromPassword([]byte("right-password"), cost)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		clients int
		looked  int64 // at most so many guesses
	}{
		{"no attack", 0, 0},
		{"one client", 1, 3},
		{"64 clients", 64, 64 * 3},
	} {
		users := []metadata.User{{Name: "alice", Bcrypt: string(hash)}}
		for i := range logins {
			users = append(users, metadata.User{Name: fmt.Sprint("bob-", i), Bcrypt: string(hash)})
		}
		accounts, err := account.New(account.Options{Cost: cost, Dir: t.TempDir(), Static: users})
		if err != nil {
			t.Fatal(err)
		}
		v := &counted{next: accounts}
		g := guess.New(v)
		ctx, stop := context.WithCancel(t.Context())
		var attackers, begun sync.WaitGroup
		var guesses atomic.Int64
		for i := range min(64, 64*test.clients) {
			from := netip.AddrFrom4([4]byte{10, 0, 0, byte(i % test.clients)})
			begun.Add(1)
			attackers.Go(func() {
				for n := 0; n < 300 && ctx.Err() == nil; n++ {
					c := auth.Credentials{Name: "alice", Secret: fmt.Sprint("guess-", i, "-", n), Client: from}
					if _, err := g.Login(ctx, c, start); err == nil || !isRefusal(err) && ctx.Err() == nil {
						t.Errorf("a guess: %v", err)
					}
					if guesses.Add(1); n == 5 {
						begun.Done()
					}
				}
			})
		}
		begun.Wait()
		var took []time.Duration
		for i := range logins {
			begin := time.Now()
			c := auth.Credentials{Name: fmt.Sprint("bob-", i), Secret: "right-password", Client: netip.MustParseAddr(home)}
			if _, err := g.Login(t.Context(), c, start); err != nil {
				t.Errorf("%s: %s: %v", test.name, c.Name, err)
			}
			took = append(took, time.Since(begin))
		}
		stop()
		attackers.Wait()
		if n := v.alice.Load(); n > test.looked {
			t.Errorf("%s: %d guesses were looked at", test.name, n)
		}
		slices.Sort(took)
		t.Logf("%-10s  others: p50 %v, p90 %v, most %v beside %d guesses, of which %d were looked at", test.name,
			took[logins/2].Round(time.Microsecond), took[logins*9/10].Round(time.Microsecond), took[logins-1].Round(time.Microsecond), guesses.Load(), v.alice.Load())
	}
}

func isRefusal(err error) bool {
	return errors.Is(err, auth.ErrBadCredentials) || errors.Is(err, auth.ErrTooManyLogins)
}
