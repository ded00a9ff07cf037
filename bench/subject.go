package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/berth-registry/berth/bench/internal/load"
	"github.com/berth-registry/berth/bench/internal/process"
	"github.com/berth-registry/berth/bench/internal/server"
)

// fillers is how many connections fill a server: berth commits what many write at the same time in one.
const fillers = 64

// settleWithin is how long a server may be busy behind its answers.
const settleWithin = 20 * time.Second

// subject is a server under measurement, with the client that knows what is on it.
type subject struct {
	*server.Server
	client *load.Client
	memory int64 // most so far, in bytes
}

// watched looks at the subject's memory until the function that it returns is called.
func (s *subject) watched() (stop func()) {
	watch, err := process.Watch(s.PID)
	if err != nil {
		return func() {} // it has ended, as the next request will tell
	}
	return func() { s.memory = max(s.memory, watch.Stop()) }
}

func (b *bench) start(ctx context.Context, p server.Program, name string) (*subject, error) {
	s, err := p.Start(ctx, filepath.Join(b.scratch, name))
	if err != nil {
		return nil, err
	}
	client := load.NewClient(s.Addr, s.Admin(), load.Options{Fillers: fillers, Extended: p.Berth})
	return &subject{Server: s, client: client}, nil
}

// audit asks the server what it has, and berth what it was asked.
func (s *subject) audit() error {
	if err := s.client.CountRepositories(); err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	if !s.Berth {
		return nil
	}
	if err := process.Settle(s.PID, settleWithin); err != nil {
		return err
	}
	counts, err := s.Counts()
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", s.Name, err)
	case counts.Failed > 0:
		return fmt.Errorf("%s: %d requests failed by its own metrics", s.Name, counts.Failed)
	case counts.V2 != s.client.Requests():
		return fmt.Errorf("%s: its metrics count %d requests, %d were sent", s.Name, counts.V2, s.client.Requests())
	}
	return nil
}
