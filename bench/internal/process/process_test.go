package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const text = "4242 (a) b) (c) S 1 2 3 0 -1 4194560 1 2 3 4 151 42 7 8 20 0 9 0 100 1 2 3\n"
	c, err := parseStat([]byte(text))
	if err != nil || c.User != 1510*time.Millisecond || c.System != 420*time.Millisecond {
		t.Errorf("got %+v, %v", c, err)
	}
	for _, bad := range []string{"", "1 (x) S 1 2", "1 (x) S 1 2 3 4 5 6 7 8 9 10 x y 13"} {
		if _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestParseStatus(t *testing.T) {
	rss, err := parseStatus([]byte("Name:\tx\nVmHWM:\t    1024 kB\nRssAnon:\t     300 kB\nThreads:\t7\n"))
	if err != nil || rss != 300<<10 {
		t.Errorf("got %d, %v", rss, err)
	}
	for _, bad := range []string{"", "VmHWM:\t1 kB\n", "RssAnon:\t1\n", "RssAnon:\tx kB\n"} {
		if _, err := parseStatus([]byte(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// TestClock burns time and finds it again, both ways of reading it.
func TestClock(t *testing.T) {
	before, err := ReadCPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
	}
	after, err := ReadCPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	used := after.Sub(before)
	if used.Total < 10*time.Millisecond {
		t.Errorf("used %v", used.Total)
	}
	if d := used.Total - used.User - used.System; d.Abs() > 3*clockTick {
		t.Errorf("the clock says %v, the ticks %v + %v", used.Total, used.User, used.System)
	}
}

func TestProcess(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	p, err := Start(exec.CommandContext(t.Context(), "sh", "-c", "echo here; exec sleep 60"), out)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Watch(p.PID)
	if err != nil {
		t.Fatal(err)
	}
	if err := Settle(p.PID, 5*time.Second); err != nil {
		t.Error(err)
	}
	if rss := s.Stop(); rss <= 0 {
		t.Errorf("memory %d", rss)
	}
	if p.Ended() {
		t.Error("ended")
	}
	if err := p.Stop(5 * time.Second); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(out); string(b) != "here\n" {
		t.Errorf("output %q", b)
	}
}

func TestEndedByItself(t *testing.T) {
	p, err := Start(exec.CommandContext(t.Context(), "false"), filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	<-p.done
	if err := p.Stop(time.Second); err == nil {
		t.Error("no error")
	}
}
