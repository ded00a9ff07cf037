package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

func havePerf() error {
	if _, err := exec.LookPath("perf"); err != nil {
		return errors.New("-profile needs perf, which is in Debian's package linux-perf")
	}
	return nil
}

// attachTime is how long perf is given to attach to all threads before the row begins.
const attachTime = 500 * time.Millisecond

// perf starts to profile a berth and returns what ends that and writes the report: DIR/<server>-<row>.txt, functions by
// what they use themselves and then by what they use with all that they call.
func (b *bench) perf(s *subject, key string) (stop func(), err error) {
	if b.profile == "" || !s.Berth {
		return func() {}, nil
	}
	data := filepath.Join(b.scratch, "perf.data")
	// cpu-clock: virtual machines often have no hardware counters. Go keeps frame pointers.
	cmd := exec.CommandContext(context.Background(), "perf", "record", "-q", "-e", "cpu-clock", "-F", "499",
		"--call-graph", "fp", "-o", data, "-p", fmt.Sprint(s.PID)) // ended by stop
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	time.Sleep(attachTime)
	return func() {
		defer func() { _ = os.Remove(data) }()
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // an interrupted perf says so; whether there is data shows next
		if err := perfReport(data, filepath.Join(b.profile, s.Name+"-"+key+".txt")); err != nil {
			progress("no profile: %v %s", err, complaints.Bytes())
		}
	}, nil
}

func perfReport(data, path string) error {
	var text bytes.Buffer
	for _, how := range []string{"--no-children", "--children"} {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		out, err := exec.CommandContext(ctx, "perf", "report", "--stdio", "-g", "none", how, "-i", data).Output()
		if err != nil {
			return fmt.Errorf("perf report: %w", err)
		}
		fmt.Fprintf(&text, "%s\n\n", head(out, 80))
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}

// head returns the first lines of b that are no comments.
func head(b []byte, lines int) []byte {
	var out []byte
	for line := range bytes.Lines(b) {
		if bytes.HasPrefix(line, []byte("#")) || len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		out = append(out, line...)
		if lines--; lines == 0 {
			break
		}
	}
	return out
}
