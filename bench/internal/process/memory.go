package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

var errStatus = errors.New("/proc/PID/status has no RssAnon")

// parseStatus reads RssAnon of /proc/PID/status (proc_pid_status(5)), in bytes. A process that has just ended has none.
func parseStatus(b []byte) (int64, error) {
	for line := range bytes.Lines(b) {
		rest, ok := bytes.CutPrefix(line, []byte("RssAnon:"))
		if !ok {
			continue
		}
		text, ok := bytes.CutSuffix(bytes.TrimSpace(rest), []byte(" kB"))
		if !ok {
			break
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
		return n << 10, err
	}
	return 0, errStatus
}

// sampleEvery is how often a Sampler looks: between two collections of a Go heap passes more.
const sampleEvery = 20 * time.Millisecond

// Sampler watches the anonymous memory of a process.
type Sampler struct {
	file *os.File
	most int64 // bytes
	stop chan struct{}
	done chan struct{} // closed when most is final
}

// Watch starts a Sampler of a process.
func Watch(pid int) (*Sampler, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil, err
	}
	s := &Sampler{file: f, stop: make(chan struct{}), done: make(chan struct{})}
	go s.run()
	return s, nil
}

func (s *Sampler) run() {
	defer close(s.done)
	defer s.file.Close()
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	buf := make([]byte, 8<<10)
	for {
		s.sample(buf)
		select {
		case <-ticker.C:
		case <-s.stop:
			return
		}
	}
}

func (s *Sampler) sample(buf []byte) {
	n, _ := s.file.ReadAt(buf, 0) // a short read is the end
	rss, err := parseStatus(buf[:n])
	if err != nil {
		return // it has ended
	}
	s.most = max(s.most, rss)
}

// Stop ends the watch and returns the most anonymous memory that was seen, in bytes.
func (s *Sampler) Stop() int64 {
	close(s.stop)
	<-s.done
	return s.most
}
