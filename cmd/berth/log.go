package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/berth-registry/berth/config"
)

// newLog returns the process's logger and what writes out the lines that it
// still holds. level is set from c and may change.
func newLog(c config.Log, level *slog.LevelVar) (log *slog.Logger, flush func()) {
	setLevel(level, c)
	out := &lines{w: os.Stderr}
	options := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(out, options)
	if c.Format == "json" {
		h = slog.NewJSONHandler(out, options)
	}
	return slog.New(urgent{h, out}), out.flush
}

func setLevel(level *slog.LevelVar, c config.Log) {
	var l slog.Level
	_ = l.UnmarshalText([]byte(c.Level)) // config has checked it
	level.Set(l)
}

const (
	lineDelay = 10 * time.Millisecond // until a line is written
	maxLines  = 64 << 10              // bytes that wait at most; then whoever logs waits for the disk
)

// lines gathers the lines of a few milliseconds into one write: thousands of
// requests a second would otherwise wait for each other's system call. A crash
// of the process loses at most those.
type lines struct {
	out   sync.Mutex // one write at a time, in order
	w     io.Writer
	spare []byte // under out

	mu    sync.Mutex
	buf   []byte
	armed bool // a flush is on its way
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	l.buf = append(l.buf, p...)
	full := len(l.buf) >= maxLines
	if !l.armed {
		l.armed = true
		time.AfterFunc(lineDelay, l.flush)
	}
	l.mu.Unlock()
	if full {
		l.flush()
	}
	return len(p), nil
}

// flush writes out what has been gathered. What cannot be written is lost:
// there is nowhere left to say so.
func (l *lines) flush() {
	l.out.Lock()
	defer l.out.Unlock()
	l.mu.Lock()
	full := l.buf
	l.buf, l.armed = l.spare[:0], false
	l.mu.Unlock()
	if len(full) > 0 {
		_, _ = l.w.Write(full)
	}
	l.spare = full
}

// urgent writes warnings and errors out at once.
type urgent struct {
	slog.Handler
	lines *lines
}

func (u urgent) Handle(ctx context.Context, r slog.Record) error {
	err := u.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		u.lines.flush()
	}
	return err
}

func (u urgent) WithAttrs(attrs []slog.Attr) slog.Handler {
	return urgent{u.Handler.WithAttrs(attrs), u.lines}
}

func (u urgent) WithGroup(name string) slog.Handler {
	return urgent{u.Handler.WithGroup(name), u.lines}
}
