package main

import (
	"context"
	"log/slog"
	"time"
)

// chore is something that is done from time to time while serving.
type chore struct {
	name  string
	every time.Duration
	do    func(ctx context.Context, now time.Time) error
}

// run does the chore until ctx ends. What fails is said once, until it works
// again.
func (c chore) run(ctx context.Context, log *slog.Logger) {
	ticker := time.NewTicker(c.every)
	defer ticker.Stop()
	failed := false
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			err := c.do(ctx, now)
			if ctx.Err() != nil {
				return
			}
			if err != nil && !failed {
				log.Error("a chore failed, and is tried again", "chore", c.name, "error", err)
			}
			failed = err != nil
		}
	}
}
