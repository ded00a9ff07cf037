package account_test

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/metadata"
	"golang.org/x/crypto/bcrypt"
)

var start = time.Unix(1_700_000_000, 0)

var errStore = errors.New("the store is down")

// memory is a store of users. fails, if set, is the error of everything.
type memory struct {
	mu    sync.Mutex
	users map[string]metadata.User
	fails error
	reads atomic.Int64
}

var _ account.Users = (*memory)(nil)

func (m *memory) User(_ context.Context, name string) (metadata.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads.Add(1)
	if m.fails != nil {
		return metadata.User{}, m.fails
	}
	u, ok := m.users[name]
	if !ok {
		return metadata.User{}, fs.ErrNotExist
	}
	return u, nil
}

func (m *memory) AddUser(_ context.Context, u metadata.User) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails != nil {
		return m.fails
	}
	if _, ok := m.users[u.Name]; ok {
		return metadata.ErrExists
	}
	m.users[u.Name] = u
	return nil
}

func (m *memory) UpdateUser(_ context.Context, name string, change func(*metadata.User) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails != nil {
		return m.fails
	}
	u, ok := m.users[name]
	if !ok {
		return fs.ErrNotExist
	}
	if err := change(&u); err != nil {
		return err
	}
	m.users[name] = u
	return nil
}

func (m *memory) RemoveUser(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails != nil {
		return m.fails
	}
	if _, ok := m.users[name]; !ok {
		return fs.ErrNotExist
	}
	delete(m.users, name)
	return nil
}

func (m *memory) Users(context.Context) iter.Seq2[metadata.User, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	users, fails := maps.Clone(m.users), m.fails
	return func(yield func(metadata.User, error) bool) {
		if fails != nil {
			yield(metadata.User{}, fails)
			return
		}
		for _, name := range slices.Sorted(maps.Keys(users)) {
			if !yield(users[name], nil) {
				return
			}
		}
	}
}

func (m *memory) change(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

func hashed(t testing.TB, password string, cost int) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		t.Fatal(err)
	}
	return string(h)
}

// setup has the stored users alice and root, an administrator, and the static
// user ci. All passwords are the name and "-password".
func setup(t testing.TB, o account.Options) (*account.Accounts, *memory) {
	t.Helper()
	m := &memory{users: map[string]metadata.User{}}
	o.Users, o.Cost, o.Dir = m, bcrypt.MinCost, t.TempDir()
	o.Static = []metadata.User{{Name: "ci", Bcrypt: hashed(t, "ci-password", bcrypt.MinCost), Groups: []string{"builders"}}}
	a, err := account.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Add(t.Context(), "alice", "alice-password", false, []string{"dev"}, start); err != nil {
		t.Fatal(err)
	}
	if err := a.Add(t.Context(), "root", "root-password", true, nil, start); err != nil {
		t.Fatal(err)
	}
	return a, m
}

func login(t testing.TB, a *account.Accounts, name, password string, want error) auth.Principal {
	t.Helper()
	p, err := a.Login(t.Context(), auth.Credentials{Name: name, Secret: password}, start)
	if !errors.Is(err, want) || (want == nil) != (err == nil) {
		t.Errorf("%s %s: %v, want %v", name, password, err, want)
	}
	if err != nil && (p.Kind != auth.Anonymous || p.Name != "" || p.Admin) {
		t.Errorf("a principal beside an error: %+v", p)
	}
	return p
}
