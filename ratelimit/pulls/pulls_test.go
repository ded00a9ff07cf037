package pulls_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/metadata/bolt"
	"github.com/berth-registry/berth/ratelimit"
	"github.com/berth-registry/berth/ratelimit/memory"
	"github.com/berth-registry/berth/ratelimit/pulls"
)

var (
	ctx   = context.Background()
	start = time.Date(2026, 11, 23, 7, 30, 0, 0, time.UTC)
)

func per(n int64, window time.Duration) ratelimit.Limit {
	return ratelimit.Limit{Pulls: n, Window: window}
}

func override(t *testing.T, limit ratelimit.Limit, who ...string) pulls.Override {
	t.Helper()
	o := pulls.Override{Limit: limit}
	for _, text := range who {
		w, err := auth.ParseWho(text)
		ok(t, err)
		o.Who = append(o.Who, w)
	}
	return o
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func user(name string, groups ...string) auth.Principal {
	return auth.Principal{Kind: auth.User, Name: name, Groups: groups, Client: netip.MustParseAddr("192.0.2.1")}
}

func at(p auth.Principal, addr string) auth.Principal {
	p.Client = netip.MustParseAddr(addr)
	return p
}

func TestPolicy(t *testing.T) {
	robot, outside := auth.Principal{Kind: auth.Robot, Name: "ci"}, auth.Principal{Kind: auth.Outside, Name: "gitlab:1"}
	p := &pulls.Policy{
		Anonymous: per(100, 6*time.Hour), Authenticated: per(200, 6*time.Hour),
		Overrides: []pulls.Override{
			override(t, per(1000, 24*time.Hour), "group:dev"),
			override(t, per(500, 6*time.Hour), "group:ops", "user:carol"),
			override(t, per(5, 6*time.Hour), "user:mallory"),
			override(t, ratelimit.Limit{}, "10.0.0.0/8", "2001:db8::/32"),
			override(t, per(50, time.Hour), "robot:slow"),
			override(t, per(60, time.Hour), "issuer:github"),
		},
	}
	tests := []struct {
		who   auth.Principal
		limit string
	}{
		{at(auth.Principal{}, "192.0.2.1"), "100 per 6h"},
		{auth.Principal{}, "100 per 6h"},
		{at(auth.Principal{}, "10.1.2.3"), "unlimited"},
		{at(auth.Principal{}, "2001:db8::1"), "unlimited"},
		{user("alice"), "200 per 6h"},
		{user("alice", "dev"), "1000 per 1d"},
		{user("alice", "dev", "ops"), "500 per 6h"},
		{user("carol", "dev"), "500 per 6h"},
		{user("mallory"), "5 per 6h"},           // less than the default, because an override matches
		{user("mallory", "dev"), "1000 per 1d"}, // unless another does
		{at(user("mallory"), "10.0.0.1"), "unlimited"},
		{robot, "unlimited"},
		{auth.Principal{Kind: auth.Robot, Name: "slow"}, "50 per 1h"},
		{auth.Principal{Kind: auth.Robot, Name: "carol"}, "unlimited"},
		{outside, "unlimited"},
		{auth.Principal{Kind: auth.Outside, Name: "github:1"}, "60 per 1h"},
	}
	for _, tt := range tests {
		if got := p.Limit(tt.who); got.String() != tt.limit {
			t.Errorf("%s in %v at %v: %v, want %s", tt.who.ID(), tt.who.Groups, tt.who.Client, got, tt.limit)
		}
	}
}

func TestKey(t *testing.T) {
	for _, tt := range []struct {
		who auth.Principal
		key string
	}{
		{at(auth.Principal{}, "2001:db8:1:2:3::4"), "2001:db8:1:2::/64"},
		{auth.Principal{}, "anonymous"},
		{user("alice"), "user:alice"},
		{auth.Principal{Kind: auth.User, Name: "alice", Credential: "token", Token: true}, "user:alice"},
		{auth.Principal{Kind: auth.Robot, Name: "alice"}, "robot:alice"},
		{auth.Principal{Kind: auth.Outside, Name: "gitlab:a:b"}, "outside:gitlab:a:b"},
	} {
		if got := pulls.Key(tt.who); got.String() != tt.key {
			t.Errorf("%s: %s, want %s", tt.who.ID(), got, tt.key)
		}
	}
}

// newLimiter is a limiter over the real store, and what opens another one over
// the same.
func newLimiter(t *testing.T, p *pulls.Policy) (*pulls.Limiter, *bolt.Store) {
	t.Helper()
	store, err := bolt.Open(filepath.Join(t.TempDir(), "berth.db"), bolt.Options{})
	ok(t, err)
	t.Cleanup(func() { ok(t, store.Close()) })
	return pulls.NewLimiter(p, counters(t), store), store
}

func counters(t testing.TB) *memory.Counters {
	t.Helper()
	c, err := memory.New(memory.Options{}, start)
	ok(t, err)
	return c
}

func defaults() *pulls.Policy {
	return &pulls.Policy{Anonymous: per(2, 6*time.Hour), Authenticated: per(3, 6*time.Hour)}
}

func take(t *testing.T, l *pulls.Limiter, who auth.Principal, repo string, now time.Time) ratelimit.Decision {
	t.Helper()
	d, err := l.Take(ctx, who, repo, now)
	ok(t, err)
	return d
}

func TestLimiter(t *testing.T) {
	p := defaults()
	p.Exempt = func(repo string) bool { return repo == "public/a" }
	l, _ := newLimiter(t, p)
	alice := user("alice")
	for i := range int64(5) {
		d := take(t, l, alice, "a", start)
		if d.Allowed != (i < 3) || d.Remaining != max(2-i, 0) {
			t.Errorf("pull %d: %+v", i, d)
		}
	}
	if d := take(t, l, alice, "public/a", start); !d.Allowed || !d.Limit.Unlimited() {
		t.Errorf("from an exempt repository: %+v", d)
	}
	if d := take(t, l, auth.Principal{Kind: auth.Robot, Name: "ci"}, "a", start); !d.Allowed || !d.Limit.Unlimited() {
		t.Errorf("by a robot: %+v", d)
	}
	last := take(t, l, user("bob"), "a", start)
	ok(t, l.GiveBack(ctx, user("bob"), last))
	ok(t, l.GiveBack(ctx, alice, ratelimit.Decision{Allowed: true})) // of an exempt repository
	ok(t, l.GiveBack(ctx, alice, take(t, l, alice, "a", start)))     // that was refused
	for who, want := range map[string]int64{"alice": 3, "bob": 0} {
		d, err := l.Look(ctx, user(who), "a", start)
		if ok(t, err); d.Used != want {
			t.Errorf("%s has used %d, want %d", who, d.Used, want)
		}
	}
	more := defaults()
	more.Authenticated = per(5, 6*time.Hour)
	l.Replace(more)
	if d := take(t, l, alice, "a", start); !d.Allowed || d.Remaining != 1 {
		t.Errorf("after a reload: %+v", d)
	}
	ok(t, l.Set(ctx, pulls.Set{Key: pulls.Key(user("bob")), Limit: per(1, time.Hour), At: start}))
	l.Replace(&pulls.Policy{Authenticated: per(1, time.Hour), Off: true})
	for _, name := range []string{"alice", "bob"} {
		if d := take(t, l, user(name), "a", start); !d.Allowed || !d.Limit.Unlimited() {
			t.Errorf("%s when limits are off: %+v", name, d)
		}
	}
	l.Replace(more)
	ok(t, l.Reset(ctx, pulls.Key(alice)))
	if d := take(t, l, alice, "a", start); d.Used != 1 {
		t.Errorf("after a reset: %+v", d)
	}
}

// TestEveryManifest gives two requests for a pull.
func TestEveryManifest(t *testing.T) {
	p := defaults()
	p.EveryManifest = true
	l, _ := newLimiter(t, p)
	if !l.EveryManifest() {
		t.Error("not in force")
	}
	for i, remaining := range []int64{3, 2, 2, 1, 1, 0, 0, 0} {
		d := take(t, l, user("alice"), "a", start)
		if d.Allowed != (i < 6) || d.Remaining != remaining || d.Limit.Pulls != 3 || d.Used+d.Remaining != 3 {
			t.Errorf("request %d: %+v, want %d remaining", i+1, d, remaining)
		}
	}
	top, err := l.Top(ctx, 10, start)
	if ok(t, err); len(top) != 1 || top[0].Used != 3 || top[0].Limit.Pulls != 3 {
		t.Errorf("%+v", top)
	}
}

func TestTop(t *testing.T) {
	p := defaults()
	p.Authenticated = per(100, 6*time.Hour)
	l, _ := newLimiter(t, p)
	for i := range 40 {
		for range i % 20 {
			take(t, l, user(fmt.Sprintf("u%02d", i)), "a", start)
		}
	}
	top, err := l.Top(ctx, 3, start)
	ok(t, err)
	var got []string
	for _, c := range top {
		got = append(got, fmt.Sprint(c.Key, " ", c.Used))
	}
	if want := "[user:u19 19 user:u39 19 user:u18 18]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestSet sets limits while serving, which other processes see with their next
// Refresh.
func TestSet(t *testing.T) {
	p := defaults()
	p.Overrides = []pulls.Override{override(t, per(1000, 6*time.Hour), "group:dev")}
	l, store := newLimiter(t, p)
	other := pulls.NewLimiter(p, counters(t), store)
	alice := user("alice", "dev")
	key := pulls.Key(alice)
	set := pulls.Set{Key: key, Limit: per(1, time.Hour), By: "user:admin", At: start, Expires: start.Add(24 * time.Hour)}
	ok(t, l.Set(ctx, set))
	if got := l.Limit(alice, start); got != per(1, time.Hour) { // above the more generous override
		t.Errorf("%v", got)
	}
	if got := other.Limit(alice, start); got.Pulls != 1000 {
		t.Errorf("another process knows before it looks: %v", got)
	}
	ok(t, other.Refresh(ctx, start))
	if got := other.Limit(alice, start); got != per(1, time.Hour) {
		t.Errorf("in another process: %v", got)
	}
	if got := l.Sets(start); len(got) != 1 || got[0] != set {
		t.Errorf("%+v", got)
	}
	later := start.Add(24 * time.Hour)
	if got := l.Limit(alice, later); got.Pulls != 1000 || len(l.Sets(later)) != 0 {
		t.Errorf("after it has expired: %v", got)
	}
	ok(t, l.Refresh(ctx, later))
	for row := range store.PullLimits(ctx, "") {
		t.Errorf("%+v is still stored", row)
	}

	unlimited := pulls.Set{Key: key, By: "admin socket", At: later}
	ok(t, l.Set(ctx, unlimited))
	if d := take(t, l, alice, "a", later.AddDate(1, 0, 0)); !d.Limit.Unlimited() {
		t.Errorf("%+v", d)
	}
	ok(t, l.Unset(ctx, key, later))
	if err := l.Unset(ctx, key, later); !errors.Is(err, pulls.ErrNotSet) {
		t.Errorf("%v", err)
	}
	if got := l.Limit(alice, later); got.Pulls != 1000 {
		t.Errorf("%v", got)
	}
	for _, bad := range []pulls.Set{
		{Key: key, Limit: per(-1, time.Hour), At: start}, {Key: key, Limit: per(1, time.Second), At: start},
		{Key: key, Limit: per(1, time.Hour), At: start, Expires: start},
	} {
		if err := l.Set(ctx, bad); !errors.Is(err, pulls.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// TestRefreshKeepsWhatItKnew has a store with a row that is none.
func TestRefreshKeepsWhatItKnew(t *testing.T) {
	l, store := newLimiter(t, defaults())
	ok(t, l.Set(ctx, pulls.Set{Key: pulls.Key(user("alice")), Limit: per(1, time.Hour), At: start}))
	for _, bad := range []metadata.PullLimit{{Key: "nobody"}, {Key: "user:zoe", Pulls: -1}} {
		ok(t, store.PutPullLimit(ctx, bad))
		if l.Refresh(ctx, start) == nil {
			t.Errorf("%+v was understood", bad)
		}
		ok(t, store.RemovePullLimit(ctx, bad.Key))
	}
	if got := l.Limit(user("alice"), start); got.Pulls != 1 {
		t.Errorf("%v", got)
	}
}

func TestDecisionAllocatesNothing(t *testing.T) {
	p := defaults()
	for i := range 20 {
		p.Overrides = append(p.Overrides, override(t, per(int64(i+1), time.Hour), fmt.Sprintf("group:g%d", i), "10.0.0.0/8"))
	}
	l, _ := newLimiter(t, p)
	alice, nobody := user("alice", "a", "b", "g7"), at(auth.Principal{}, "2001:db8::1")
	decide := func() {
		take(t, l, alice, "team/app", start)
		take(t, l, nobody, "team/app", start)
	}
	decide()
	if n := testing.AllocsPerRun(1000, decide); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
