package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/berth-registry/berth/bench/internal/load"
	"github.com/berth-registry/berth/bench/internal/report"
	"github.com/berth-registry/berth/bench/internal/server"
)

// startups is how often a server is started anew at each size.
const startups = 3

// grow measures one server at each size.
func (b *bench) grow(ctx context.Context, p server.Program) (err error) {
	s, err := b.start(ctx, p, p.Name+"-growth")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop(), os.RemoveAll(s.Dir)) }()
	if s.Berth {
		if err := s.AddVisitor(ctx); err != nil {
			return err
		}
	}
	g := report.Growth{Server: p.Name, Sizes: b.growth}
	before := 0
	for _, size := range b.growth {
		if err := b.fill(s, before, size); err != nil {
			return err
		}
		figures, err := b.atSize(ctx, s, size)
		if err != nil {
			return err
		}
		g.Add(figures)
		before = size
	}
	if err := s.client.CountRepositories(); err != nil {
		return err
	}
	b.report.Growth = append(b.report.Growth, g)
	return nil
}

func (b *bench) fill(s *subject, from, to int) error {
	begin := time.Now()
	if err := s.client.Grow(from, to); err != nil {
		return err
	}
	progress("%s: filled to %d tags and repositories in %v", s.Name, to, time.Since(begin).Round(time.Second))
	return nil
}

// atSize measures the start and the rows.
func (b *bench) atSize(ctx context.Context, s *subject, size int) ([]report.GrowthRow, error) {
	startup, err := s.restart(ctx)
	if err != nil {
		return nil, err
	}
	list := []report.GrowthRow{{Key: "startup", Name: "start to first answer", Figures: []report.Figures{startup}}}
	for _, row := range s.client.GrowthRows(size) {
		if !b.wanted(row) {
			continue
		}
		progress("%s: %s at %d", s.Name, row.Name, size)
		entries, err := b.measureRow(ctx, row, []*subject{s})
		if err != nil {
			return nil, err
		}
		list = append(list, report.GrowthRow{Key: row.Key, Name: row.Name, Figures: []report.Figures{report.Middle(entries[0].rounds)}})
	}
	memory := report.Figures{Memory: s.memory}
	return append(list, report.GrowthRow{Key: memoryRow, Name: "peak memory so far (RssAnon)", Figures: []report.Figures{memory}}), nil
}

// visitor is nil where there are no users.
func (s *subject) visitor() load.Access {
	if !s.Berth {
		return nil
	}
	return s.Visitor()
}

// restart stops the server and starts it again, some times, for the median time to its first answer.
func (s *subject) restart(ctx context.Context) (report.Figures, error) {
	var took []time.Duration
	for range startups {
		if err := s.Stop(); err != nil {
			return report.Figures{}, err
		}
		next, err := s.Start(ctx, s.Dir)
		if err != nil {
			return report.Figures{}, fmt.Errorf("start again: %w", err)
		}
		s.Server = next
		s.client.Move(next.Addr, next.Admin(), s.visitor())
		took = append(took, next.Startup)
	}
	slices.Sort(took)
	return report.Figures{Startup: report.Percentile(took, 50).Seconds() * 1000}, nil
}
