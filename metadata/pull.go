package metadata

import (
	"context"
	"iter"
	"time"

	"github.com/berth-registry/berth/oci"
)

// PullLimit is a limit that an administrator has set for a key beside the
// configuration.
type PullLimit struct {
	Key     string        `json:"key"`    // text of a ratelimit.Key
	Pulls   int64         `json:"pulls"`  // 0 = unlimited
	Window  time.Duration `json:"window"` // of no meaning if unlimited
	By      string        `json:"by"`     // who set it
	Set     time.Time     `json:"set"`
	Expires time.Time     `json:"expires,omitzero"` // zero: never
}

// PullLimits is the role of limits that were set. Keys are text without a zero
// byte.
type PullLimits interface {
	// PutPullLimit stores a limit, in place of the one that its key had.
	PutPullLimit(ctx context.Context, l PullLimit) error

	// RemovePullLimit removes the limit of a key. fs.ErrNotExist if absent.
	RemovePullLimit(ctx context.Context, key string) error

	// ExpirePullLimits removes the limits that have expired at a time.
	ExpirePullLimits(ctx context.Context, now time.Time) error

	// PullLimits visits the limits whose keys are greater than after, in order.
	PullLimits(ctx context.Context, after string) iter.Seq2[PullLimit, error]
}

// Usage is how often somebody has asked for a manifest within an hour.
type Usage struct {
	UsageKey
	Pulls  int64
	Checks int64 // requests that showed whether there is something new
}

// UsageKey is what usage is told apart by. What is not known is empty.
type UsageKey struct {
	Hour   time.Time  // its beginning, UTC
	User   string     // principal as in the access log; "anonymous" for who is not known
	Repo   string     // canonical name
	Tag    string     // if it was asked for by tag
	Token  string     // id of the personal token
	Client string     // address
	Digest oci.Digest // of what was served
}

// Usages is the role of usage.
type Usages interface {
	// AddUsage adds to what is stored for each key, all or nothing.
	AddUsage(ctx context.Context, rows []Usage) error

	// Usage visits the rows from an hour on to one that is not visited any
	// more, in order of the hours.
	Usage(ctx context.Context, from, to time.Time) iter.Seq2[Usage, error]

	// DropUsage removes at most n rows of hours that began before a time, and
	// tells how many it removed.
	DropUsage(ctx context.Context, before time.Time, n int) (int, error)
}
