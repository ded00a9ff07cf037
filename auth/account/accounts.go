package account

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/cache"
	"github.com/berth-registry/berth/auth/internal/proof"
	"github.com/berth-registry/berth/metadata"
	"golang.org/x/crypto/bcrypt"
)

// DefaultCost is the cost of new bcrypt hashes: some 50 ms of one core.
const DefaultCost = bcrypt.DefaultCost

// Users is what this package needs of a metadata.Store. See metadata.Users for
// the errors.
type Users interface {
	User(ctx context.Context, name string) (metadata.User, error)
	AddUser(ctx context.Context, u metadata.User) error
	UpdateUser(ctx context.Context, name string, change func(*metadata.User) error) error
	RemoveUser(ctx context.Context, name string) error
	Users(ctx context.Context) iter.Seq2[metadata.User, error]
}

var _ Users = metadata.Users(nil)

// Options are what Accounts are made of.
type Options struct {
	Users    Users
	Static   []metadata.User // of the configuration; they come before stored ones of the same name
	Reserved []string        // names that new users cannot have: those of upstreams
	Dir      string          // where Bootstrap keeps the first password
	Cost     int             // of new hashes; 0 = DefaultCost. Others are accepted; time tells only those of a higher cost.
	Parallel int             // bcrypt at a time; 0 = as many as there are cores, less one
}

// Accounts are the users. They may be used concurrently.
type Accounts struct {
	users    Users
	static   atomic.Pointer[map[string]metadata.User]
	reserved []string
	dir      string
	cost     int
	tail     string // of the dummies, behind their cost

	fits     func(hash, password string) bool // bcrypt; tests count and hold it
	proof    proof.Maker
	queue    queue // of what fits is to compare
	good     *cache.Cache[proof.Proof, struct{}]
	bad      *cache.Cache[proof.Proof, struct{}]
	standing *cache.Rows[standing]

	admins sync.Mutex // held while the number of administrators may change
}

var (
	_ auth.PasswordVerifier = (*Accounts)(nil)
	_ auth.Standing         = (*Accounts)(nil)
)

const maxRemembered = 10_000 // logins that were right, as many that were wrong, and standings

// New returns Accounts. Its error is about the static users or the cost.
func New(o Options) (*Accounts, error) {
	a := &Accounts{
		users:    o.Users,
		reserved: slices.Clone(o.Reserved),
		dir:      o.Dir,
		cost:     o.Cost,
		fits:     fits,
		proof:    proof.NewMaker(),
		good:     cache.New[proof.Proof, struct{}](maxRemembered),
		bad:      cache.New[proof.Proof, struct{}](maxRemembered),
		standing: cache.NewRows[standing](maxRemembered, standingFor),
	}
	if a.cost == 0 {
		a.cost = DefaultCost
	}
	if o.Parallel == 0 {
		o.Parallel = max(1, runtime.GOMAXPROCS(0)-1)
	}
	a.queue = queue{free: o.Parallel, all: make(map[proof.Proof]*comparison)}
	if a.cost < bcrypt.MinCost || a.cost > bcrypt.MaxCost {
		return nil, fmt.Errorf("a bcrypt cost is %d to %d", bcrypt.MinCost, bcrypt.MaxCost)
	}
	var err error
	if a.tail, err = dummyTail(); err != nil {
		return nil, err
	}
	return a, a.SetStatic(o.Static)
}

// SetStatic replaces the static users, at a reload. On an error the old ones
// stay.
func (a *Accounts) SetStatic(users []metadata.User) error {
	byName := make(map[string]metadata.User, len(users))
	for _, u := range users {
		if err := a.checkStatic(u); err != nil {
			return fmt.Errorf("static user %q: %w", u.Name, err)
		}
		if _, twice := byName[u.Name]; twice {
			return fmt.Errorf("static user %q: %w", u.Name, ErrExists)
		}
		byName[u.Name] = u
	}
	a.static.Store(&byName)
	a.standing.Clear()
	return nil
}

func (a *Accounts) checkStatic(u metadata.User) error {
	if err := a.checkNew(u.Name, u.Groups); err != nil {
		return err
	}
	if _, err := bcrypt.Cost([]byte(u.Bcrypt)); err != nil {
		return fmt.Errorf("%w: not a bcrypt hash", ErrInvalid)
	}
	return checkGroups(u.Groups)
}

// find returns the user of a name. ErrNotFound if there is none.
func (a *Accounts) find(ctx context.Context, name string) (metadata.User, error) {
	if u, ok := a.staticUser(name); ok {
		return u, nil
	}
	u, err := a.users.User(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return metadata.User{}, ErrNotFound
	}
	if err != nil {
		return metadata.User{}, fmt.Errorf("read user %s: %w", name, err)
	}
	return u, nil
}

func (a *Accounts) staticUser(name string) (metadata.User, bool) {
	u, ok := (*a.static.Load())[name]
	return u, ok
}

func principal(u metadata.User) auth.Principal {
	return auth.Principal{Kind: auth.User, Name: u.Name, Groups: slices.Clone(u.Groups), Admin: u.Admin}
}

// standingFor is how long a removed user may go on with a token at another
// replica.
const standingFor = 10 * time.Second
