package server

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/berth-registry/berth/bench/internal/process"
)

// Server is a registry that is running.
type Server struct {
	Program
	*process.Process
	Addr    string
	Dir     string        // its working directory
	Startup time.Duration // from exec to the first answer
}

// readyWithin bounds a start; stopWithin an end, which includes berth's 20 s for requests under way.
const (
	readyWithin = 60 * time.Second
	stopWithin  = 40 * time.Second
)

// Start starts the program in dir, which it makes if it is missing, and returns when it answers.
func (p Program) Start(ctx context.Context, dir string) (*Server, error) {
	addr, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), p.path, p.args(addr, dir)...) // ended by Stop
	cmd.Dir = dir
	cmd.Env = clean(os.Environ())
	if p.env != nil {
		cmd.Env = append(cmd.Env, p.env(addr, dir)...)
	}
	begin := time.Now()
	proc, err := process.Start(cmd, filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	s := &Server{Program: p, Process: proc, Addr: addr, Dir: dir}
	if err := s.ready(ctx, begin.Add(readyWithin)); err != nil {
		_ = s.Stop() // that it did not start is the news
		return nil, err
	}
	s.Startup = time.Since(begin)
	return s, nil
}

// Stop ends the server. It is an error if it has ended before, by itself.
func (s *Server) Stop() error {
	if err := s.Process.Stop(stopWithin); err != nil {
		return fmt.Errorf("%w\n%s", err, s.Tail())
	}
	return nil
}

// ready waits for the first answer, whatever it says.
func (s *Server) ready(ctx context.Context, until time.Time) error {
	for {
		_, _, err := fetch(s.Addr, "/v2/", nil)
		switch {
		case err == nil:
			return nil
		case s.Ended(), time.Now().After(until):
			return fmt.Errorf("%s does not answer: %w\n%s", s.Name, err, s.Tail())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

// Log is the file that the server writes to.
func (s *Server) Log() string { return filepath.Join(s.Dir, "log") }

// Tail returns the end of the log.
func (s *Server) Tail() string {
	b, err := os.ReadFile(s.Log())
	if err != nil {
		return err.Error()
	}
	lines := strings.SplitAfter(string(b), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "")
}

// clean drops what would change the configuration of a server behind the benchmark's back.
func clean(env []string) []string {
	var kept []string
	for _, v := range env {
		if !strings.HasPrefix(v, "BERTH_") && !strings.HasPrefix(v, "REGISTRY_") && !strings.HasPrefix(v, "OTEL_") {
			kept = append(kept, v)
		}
	}
	return kept
}

// freeAddr returns a loopback address that nobody listened on a moment ago.
func freeAddr(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
