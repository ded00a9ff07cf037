package main

import (
	"context"
	"errors"
	"os"

	"github.com/berth-registry/berth/bench/internal/load"
	"github.com/berth-registry/berth/bench/internal/report"
)

// table measures every row on new servers.
func (b *bench) table(ctx context.Context) (err error) {
	var subjects []*subject
	defer func() {
		for _, s := range subjects {
			err = errors.Join(err, s.Stop(), os.RemoveAll(s.Dir))
		}
	}()
	for _, p := range b.programs {
		s, err := b.start(ctx, p, p.Name)
		if err != nil {
			return err
		}
		subjects = append(subjects, s)
	}
	for _, row := range b.selected() {
		progress("%s", row.Name)
		entries, err := b.measureRow(ctx, row, subjects)
		if err != nil {
			return err
		}
		for _, e := range entries {
			b.row(row.Key, row.Name).Add(e.Name, e.rounds...)
		}
	}
	for _, s := range subjects {
		if err := s.audit(); err != nil {
			return err
		}
		b.row("startup", "start to first answer, empty").Add(s.Name, report.Figures{Startup: s.Startup.Seconds() * 1000})
		b.row(memoryRow, "peak memory of all rows (RssAnon)").Add(s.Name, report.Figures{Memory: s.memory})
	}
	return nil
}

// selected are the rows that -rows leaves.
func (b *bench) selected() (rows []load.Row) {
	for _, row := range load.Rows() {
		if b.wanted(row) {
			rows = append(rows, row)
		}
	}
	return rows
}

func (b *bench) wanted(row load.Row) bool {
	return b.rows.MatchString(row.Key) || b.rows.MatchString(row.Name)
}

// row returns the report's row of a key.
func (b *bench) row(key, name string) *report.Row {
	for _, row := range b.report.Rows {
		if row.Key == key {
			return row
		}
	}
	row := &report.Row{Key: key, Name: name}
	if g, ok := goals[key]; ok {
		row.Goal = &g
	}
	b.report.Rows = append(b.report.Rows, row)
	return row
}
