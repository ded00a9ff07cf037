package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// process is a daemon of ours; both its outputs go to one file.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when it has ended; err is set by then
	err  error
}

func startProcess(p program, log string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := p.command(context.Background())
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // a test run that dies takes it along
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	proc := &process{cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		proc.err = cmd.Wait()
		close(proc.done)
	}()
	return proc, nil
}

// startHelper starts another server of the tests, which lives until it is killed or the test ends, and waits until it is
// ready; nil: it need not be.
func startHelper(t *testing.T, p program, log string, ready func() bool) *process {
	t.Helper()
	proc, err := startProcess(p, log)
	must(t, err)
	t.Cleanup(func() {
		proc.kill()
		keep(t, log)
	})
	if ready != nil {
		until(t, 30*time.Second, filepath.Base(p.path), func() bool {
			if proc.ended() {
				t.Fatalf("%s ended with %v\n%s", p.path, proc.err, tail(log))
			}
			return ready()
		})
	}
	return proc
}

// answers returns whether a URL is answered, whatever it says.
func answers(client *http.Client, url string) func() bool {
	return func() bool {
		resp, err := client.Get(url)
		return err == nil && resp.Body.Close() == nil
	}
}

// kill ends what knows no other end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// stop asks with SIGTERM and kills after limit. Everything but a timely exit with code 0 is an error.
func (p *process) stop(limit time.Duration) error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("%s had already ended (%v): %w", p.cmd.Path, p.err, err)
	}
	select {
	case <-p.done:
	case <-time.After(limit):
		p.cmd.Process.Kill()
		<-p.done
		return fmt.Errorf("%s was still running %v after SIGTERM", p.cmd.Path, limit)
	}
	if p.err != nil {
		return fmt.Errorf("%s ended with %w", p.cmd.Path, p.err)
	}
	return nil
}
