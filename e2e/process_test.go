package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
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
