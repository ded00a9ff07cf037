package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/berth-registry/berth/bench/internal/load"
	"github.com/berth-registry/berth/bench/internal/process"
	"github.com/berth-registry/berth/bench/internal/report"
)

// entry is a row that is ready to run on a subject.
type entry struct {
	*subject
	session *load.Session
	rounds  []report.Figures
}

// measureRow runs a row on all subjects: each is prepared and warmed up, then they take turns, another one first in
// each round, and then each must have what it was given.
func (b *bench) measureRow(ctx context.Context, row load.Row, subjects []*subject) (entries []*entry, err error) {
	defer func() {
		for _, e := range entries {
			e.session.Close()
		}
	}()
	for _, s := range subjects {
		e, err := b.prepare(s, row)
		if err != nil {
			return entries, failed(s, row, err)
		}
		entries = append(entries, e)
	}
	for n := range b.rounds {
		for k := range entries {
			e := entries[(k+n)%len(entries)]
			if err := ctx.Err(); err != nil {
				return entries, err
			}
			if err := b.turn(e, row, n); err != nil {
				return entries, failed(e.subject, row, err)
			}
		}
	}
	for _, e := range entries {
		if err := e.session.Check(); err != nil {
			return entries, failed(e.subject, row, err)
		}
	}
	return entries, nil
}

func failed(s *subject, row load.Row, err error) error {
	return fmt.Errorf("%s: %s: %w", s.Name, row.Name, err)
}

func (b *bench) prepare(s *subject, row load.Row) (*entry, error) {
	defer s.watched()()
	ops, warm := b.counts(row)
	plan, err := row.Prepare(s.client, warm+ops*b.rounds)
	if err != nil {
		return nil, err
	}
	session, err := s.client.Open(plan, b.connections)
	if err != nil {
		return nil, err
	}
	if _, err := session.Run(warm, b.limit); err != nil {
		session.Close()
		return nil, err
	}
	return &entry{subject: s, session: session}, nil
}

// counts returns how many operations to measure in a round, and how many before the first.
func (b *bench) counts(row load.Row) (ops, warm int) {
	ops = max(2, int(float64(row.Ops)*b.scale))
	return ops, max(1, ops/20)
}

// turn is one server's part of one round.
func (b *bench) turn(e *entry, row load.Row, n int) error {
	defer e.watched()()
	syscall.Sync() // what others have written is not to be waited for by this one's syncs
	if n == 0 {
		stop, err := b.perf(e.subject, row.Key)
		if err != nil {
			return err
		}
		defer stop()
	}
	ops, _ := b.counts(row)
	f, err := timed(e.PID, e.session, ops, b.limit, row.Bytes)
	e.rounds = append(e.rounds, f)
	return err
}

// timed is the part that is measured.
func timed(pid int, session *load.Session, ops int, limit time.Duration, bytes int) (report.Figures, error) {
	if err := process.Settle(pid, settleWithin); err != nil {
		return report.Figures{}, err
	}
	before, err := process.ReadCPU(pid)
	if err != nil {
		return report.Figures{}, err
	}
	self, err := process.Self()
	if err != nil {
		return report.Figures{}, err
	}
	result, err := session.Run(ops, limit)
	if err != nil {
		return report.Figures{}, err
	}
	own, err := process.Self()
	if err != nil {
		return report.Figures{}, err
	}
	if err := process.Settle(pid, settleWithin); err != nil {
		return report.Figures{}, err
	}
	after, err := process.ReadCPU(pid)
	if err != nil {
		return report.Figures{}, err
	}
	used := after.Sub(before)
	return report.NewFigures(report.Run{
		Wall: result.Wall, CPU: used.Total, User: used.User, System: used.System,
		Client: own - self, Latency: result.Latency, Bytes: bytes,
	}), nil
}
