package robot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/cache"
	"github.com/berth-registry/berth/auth/internal/lastuse"
	"github.com/berth-registry/berth/metadata"
)

const (
	secretPrefix = auth.SecretPrefix + "robot_"
	secretBytes  = 25

	maxRemembered = 10_000
	standingFor   = 10 * time.Second // how long another replica may go on with what was
)

// Robots are the robots of a store. They may be used concurrently.
type Robots struct {
	store metadata.Robots
	used  *lastuse.Recorder
	rows  *cache.Rows[metadata.Robot] // of no name: there is none
}

var (
	_ auth.PasswordVerifier = (*Robots)(nil)
	_ auth.Standing         = (*Robots)(nil)
)

// New returns the robots of a store, to be closed before it.
func New(store metadata.Robots) *Robots {
	r := &Robots{store: store, rows: cache.NewRows[metadata.Robot](maxRemembered, standingFor)}
	r.used = lastuse.New(func(ctx context.Context, name string, at time.Time) error {
		return store.UpdateRobot(ctx, name, func(row *metadata.Robot) error { row.Used = at; return nil })
	})
	return r
}

// Close finishes what is being recorded.
func (r *Robots) Close() error { r.used.Close(); return nil }

// find returns the row of a robot; the zero one if there is none.
func (r *Robots) find(ctx context.Context, name string) (metadata.Robot, error) {
	row, err := r.store.Robot(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return metadata.Robot{}, nil
	}
	if err != nil {
		return metadata.Robot{}, fmt.Errorf("read robot %s: %w", name, err)
	}
	return row, nil
}
