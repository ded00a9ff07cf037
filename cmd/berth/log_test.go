package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// writes records each write as a string.
type writes struct {
	mu   sync.Mutex
	list []string
}

func (w *writes) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, string(p))
	return len(p), nil
}

// take returns the writes since the last time.
func (w *writes) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.list
	w.list = nil
	return list
}

func TestLinesAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := new(writes)
		l := &lines{w: out}
		for range 2 { // the second time with the buffers of the first
			fmt.Fprint(l, "a\n")
			time.Sleep(lineDelay / 2)
			fmt.Fprint(l, "b\n")
			if early := out.take(); len(early) > 0 {
				t.Errorf("written too early: %q", early)
			}
			time.Sleep(lineDelay)
			if got := strings.Join(out.take(), "|"); got != "a\nb\n" {
				t.Errorf("writes %q", got)
			}
		}
	})
}

// Whoever logs more than the disk takes waits for it: memory is bounded.
func TestLinesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := new(writes)
		l := &lines{w: out}
		line := bytes.Repeat([]byte("x"), maxLines/4)
		for range 9 {
			_, _ = l.Write(line) // never fails
		}
		early := out.take()
		if len(early) != 2 || len(early[0]) != maxLines {
			t.Errorf("%d writes before any time has passed", len(early))
		}
		l.flush()
		if n := len(strings.Join(append(early, out.take()...), "")); n != 9*len(line) {
			t.Errorf("%d bytes of %d", n, 9*len(line))
		}
	})
}

func TestWarningsAreWrittenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := new(writes)
		l := &lines{w: out}
		log := slog.New(urgent{slog.NewTextHandler(l, nil), l}).With("a", 1).WithGroup("g")
		log.Info("first")
		if early := out.take(); len(early) != 0 {
			t.Errorf("an info was written at once: %q", early)
		}
		log.Warn("second", "b", 2)
		got := strings.Join(out.take(), "")
		if strings.Count(got, "\n") != 2 || !strings.Contains(got, "msg=second a=1 g.b=2") {
			t.Errorf("after a warning the log is %q", got)
		}
	})
}
