package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/berth-registry/berth/bench/internal/report"
	"github.com/berth-registry/berth/bench/internal/server"
)

// bench is one run of this program.
type bench struct {
	options
	scratch  string // removed at the end
	programs []server.Program
	report   report.Report
}

// newBench builds everything before anything is measured.
func newBench(ctx context.Context, o options) (*bench, error) {
	for _, tool := range o.needs() {
		if err := tool(); err != nil {
			return nil, err
		}
	}
	scratch, err := os.MkdirTemp(o.dir, "berth-bench-")
	if err != nil {
		return nil, err
	}
	if scratch, err = filepath.Abs(scratch); err != nil {
		return nil, err
	}
	b := &bench{options: o, scratch: scratch}
	w := server.Workshop{Root: o.root, Scratch: filepath.Join(scratch, "bin"), Berth: o.berth, Symbols: o.profile != ""}
	progress("building %v", o.servers)
	if b.programs, err = w.Programs(ctx, o.servers); err != nil {
		return nil, errors.Join(err, os.RemoveAll(scratch))
	}
	b.report = report.Report{
		Time:    time.Now().UTC().Format(time.RFC3339),
		Machine: report.ThisMachine(),
		Options: o.changed,
		Servers: o.servers,
	}
	b.report.Machine.Disk = describeDisk(scratch)
	b.report.Notes = b.notes()
	return b, nil
}

// needs are checks of what must be there.
func (o options) needs() []func() error {
	checks := []func() error{func() error { return onDisk(o.dir) }}
	if o.profile != "" {
		checks = append(checks, havePerf, func() error { return os.MkdirAll(o.profile, 0o755) })
	}
	return checks
}

// measure runs the table, the growth, or in the short form both.
func (b *bench) measure(ctx context.Context) error {
	if len(b.growth) == 0 || b.short {
		if err := b.table(ctx); err != nil {
			return err
		}
	}
	if len(b.growth) == 0 {
		return nil
	}
	for _, p := range b.programs {
		if p.Forgets {
			continue // restarts are a part of it
		}
		if err := b.grow(ctx, p); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return nil
}

func (b *bench) notes() []string {
	m := b.report.Machine
	notes := []string{fmt.Sprintf("%s, %d cores, Linux %s, %s; data on %s; %d connections, no TLS.",
		m.CPU, m.Cores, m.Kernel, m.Go, m.Disk, b.connections)}
	about := map[string]string{
		"floor":        "floor: the least on net/http: no users, no checks, nothing durable; SHA-256 of what is pushed.",
		"distribution": "distribution " + server.DistributionVersion + ": no users, no access log, in-memory cache of descriptors.",
		"berth":        "berth: its defaults; a token on every request, durable, one access line per request to a file.",
		"berth-quiet":  "berth-quiet: berth with log.level error, so without access lines.",
	}
	for _, s := range b.servers {
		notes = append(notes, about[s])
	}
	notes = append(notes, "zot is not to be had from the Go module proxy; targets that name it use its measured ratio to distribution.")
	notes = append(notes, fmt.Sprintf("A turn ends after %v even if a server has not done all of its operations.", b.limit))
	if b.rounds > 1 {
		notes = append(notes, fmt.Sprintf("Medians of %d rounds in which the servers took turns; ratios were taken within a round.", b.rounds))
	}
	if b.profile != "" {
		notes = append(notes, "perf was watching berth: its times are not worth much.")
	}
	return slices.DeleteFunc(notes, func(s string) bool { return s == "" })
}

// progress tells whoever waits.
func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
