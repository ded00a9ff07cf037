package memory

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/berth-registry/berth/internal/durable"
	"github.com/berth-registry/berth/ratelimit"
)

// magic begins a file. A file that begins otherwise is written anew.
const magic = "berth pulls 1\n"

// smallFile is not worth writing anew.
const smallFile = 1 << 20 // bytes

// file is the log. Its users hold mu.
type file struct {
	mu    sync.Mutex
	path  string
	f     *os.File
	size  int64  // where the next record goes
	whole int64  // its size when it was last written anew
	stale bool   // some changes are in no record: it has to be written anew
	dirty bool   // something was written since it was synced
	buf   []byte // to be written next
}

// openFile opens or creates the file and visits its records.
func openFile(path string, visit func(ratelimit.Key, entry)) (*file, error) {
	if err := durable.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	l := &file{path: path, f: f}
	err = l.read(visit)
	if err == nil {
		err = l.cut()
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	l.whole = l.size
	return l, nil
}

// cut drops what lies behind the last record: it would be read again one day.
// An empty file gets its beginning.
func (l *file) cut() error {
	info, err := l.f.Stat()
	if err == nil && info.Size() == 0 {
		_, err = l.f.WriteAt([]byte(magic), 0)
		l.size, l.stale = int64(len(magic)), false
	}
	return errors.Join(err, l.f.Truncate(l.size))
}

// read visits the records up to the first one that cannot be read: there the
// next one will be written.
func (l *file) read(visit func(ratelimit.Key, entry)) error {
	r := bufio.NewReaderSize(l.f, 64<<10)
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(r, head); err != nil && !isEnd(err) {
		return err
	}
	if !bytes.Equal(head, []byte(magic)) {
		l.stale = true
		return nil
	}
	l.size = int64(len(magic))
	var buf []byte
	for {
		body, err := readRecord(r, buf)
		if isEnd(err) {
			return nil
		}
		if err != nil {
			return err
		}
		key, e, err := decodeRecord(body)
		if err != nil {
			return nil
		}
		l.size += recordHead + int64(len(body))
		buf = body
		visit(key, e)
	}
}

func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errRecord)
}

// append writes what is in buf behind the last record.
func (l *file) append() error {
	if len(l.buf) == 0 {
		return nil
	}
	n := int64(len(l.buf))
	l.dirty = true
	_, err := l.f.WriteAt(l.buf, l.size)
	l.buf = l.buf[:0]
	if err != nil {
		l.stale = true
		return err
	}
	l.size += n
	return nil
}

// outdated reports whether the file is to be written anew.
func (l *file) outdated() bool { return l.stale || l.size > smallFile+2*l.whole }

// begin starts writing the file anew, under another name.
func (l *file) begin() (*file, error) {
	f, err := os.OpenFile(l.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	next := &file{f: f, buf: append(l.buf[:0], magic...)}
	return next, nil
}

// replace puts next in the place of the file.
func (l *file) replace(next *file) error {
	err := durable.SyncData(next.f)
	if err == nil {
		err = durable.Rename(next.f.Name(), l.path)
	}
	if err != nil {
		return errors.Join(err, next.f.Close())
	}
	old := l.f
	l.f, l.size, l.whole, l.stale, l.dirty, l.buf = next.f, next.size, next.size, false, false, next.buf
	return old.Close()
}

// close syncs what was written: an end in order loses nothing to a power cut.
func (l *file) close() error {
	var err error
	if l.dirty {
		err = durable.SyncData(l.f)
	}
	return errors.Join(err, l.f.Close())
}
