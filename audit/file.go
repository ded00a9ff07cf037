package audit

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// fileMode keeps others out: the trail says who works on what, and when.
const fileMode = 0o600

// file is the end of the trail. A line is one write to a file opened for
// appending: the system puts it at the end, whoever else writes there.
type file struct {
	path string

	mu   sync.Mutex
	f    io.WriteCloser
	torn bool // the last write broke off within a line
}

var _ sink = (*file)(nil)

func openFile(path string) (*file, error) {
	f, err := openAppend(path)
	if err != nil {
		return nil, err
	}
	return &file{path: path, f: f}, nil
}

// openAppend opens or makes the file, and its directory. The mode of a file that
// is there stays, because it may be meant for who collects it.
func openAppend(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeSocket|os.ModeDir) != 0 {
		return nil, fmt.Errorf("%s is no file to write to", path) // to open a pipe would wait for a reader
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, fileMode)
}

func (f *file) append(line []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.torn {
		line = append([]byte("\n"), line...) // what is left of the other is no part of this one
	}
	n, err := f.f.Write(line)
	if err != nil && n > 0 {
		f.torn = line[n-1] != '\n'
	}
	if err == nil {
		f.torn = false
	}
	return err
}

func (f *file) reopen() error {
	next, err := openAppend(f.path)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.f
	f.f, f.torn = next, false
	return old.Close()
}

func (f *file) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.f.Close()
}

// plain is a sink that cannot be reopened.
type plain struct{ io.Writer }

func (p plain) append(line []byte) error {
	_, err := p.Write(line)
	return err
}
