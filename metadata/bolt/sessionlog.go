package bolt

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"

	"github.com/berth-registry/berth/metadata"
)

// sessionLog is a file of session records, each after its length in four
// bytes. The last record of a session counts; one of version 0 ends it. A
// record has a checksum, and the first one that cannot be read ends the log:
// the end of the process leaves every record that was answered whole, a power
// cut may take any of them, and with them their sessions.
type sessionLog struct {
	at   opened
	file *os.File
	size int64 // where the next record goes: what lies behind is not part of the log
}

const (
	maxRecord   = 64 << 10 // bytes: a State has a few KiB, names are bounded
	smallLog    = 1 << 20  // bytes that are not worth rewriting
	perSession  = 4 << 10  // bytes more for each open session
	recordStart = 4
)

// openSessionLog visits the records of the log and cuts off what is behind.
func openSessionLog(path string, visit func(metadata.Session)) (*sessionLog, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	l := &sessionLog{file: f}
	if l.at, err = newOpened(path, f); err == nil {
		err = l.read(visit)
	}
	if err == nil {
		err = f.Truncate(l.size)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return l, nil
}

func (l *sessionLog) read(visit func(metadata.Session)) error {
	r := bufio.NewReader(l.file)
	for {
		record, err := readRecord(r)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errRecord) {
			return nil
		}
		if err != nil {
			return err
		}
		s, err := decodeSession(record)
		if err != nil {
			return nil
		}
		l.size += recordStart + int64(len(record))
		visit(s)
	}
}

func readRecord(r io.Reader) ([]byte, error) {
	var head [recordStart]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxRecord {
		return nil, errRecord
	}
	record := make([]byte, n)
	_, err := io.ReadFull(r, record)
	return record, err
}

func encodeRecord(s metadata.Session) ([]byte, error) {
	record := encodeSession(s)
	if len(record) > maxRecord {
		return nil, errors.New("an upload session is too large to be stored")
	}
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, recordStart+len(record)), uint32(len(record))), record...), nil
}

// append writes a record behind the last one that was written whole.
func (l *sessionLog) append(s metadata.Session) error {
	record, err := encodeRecord(s)
	if err != nil {
		return err
	}
	if err := l.at.still(); err != nil {
		return err
	}
	if _, err := l.file.WriteAt(record, l.size); err != nil {
		return err
	}
	l.size += int64(len(record))
	return nil
}

// large reports whether the log is out of proportion to the open sessions.
func (l *sessionLog) large(open int) bool {
	return l.size > smallLog+int64(open)*perSession
}

// rewrite replaces the log by one of these sessions only. After an error the
// log goes on as it was.
func (l *sessionLog) rewrite(open iter.Seq[metadata.Session]) error {
	f, err := os.OpenFile(l.at.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	next := &sessionLog{file: f}
	if next.at, err = newOpened(f.Name(), f); err == nil {
		err = next.fill(open)
	}
	if err == nil {
		err = os.Rename(f.Name(), l.at.path)
	}
	if err != nil {
		return errors.Join(err, f.Close(), os.Remove(f.Name())) // it may have taken the last of the space
	}
	old := l.file
	next.at.path = l.at.path
	*l = *next
	return old.Close()
}

func (l *sessionLog) fill(sessions iter.Seq[metadata.Session]) error {
	for s := range sessions {
		if err := l.append(s); err != nil {
			return err
		}
	}
	return nil
}

// check makes a small file and removes it: a full disk still has room for a
// name, and a byte more may fit into the last block of the log.
func (l *sessionLog) check() error {
	if err := l.at.still(); err != nil {
		return err
	}
	path := l.at.path + ".check"
	err := os.WriteFile(path, []byte{'.'}, 0o600)
	if rm := os.Remove(path); err == nil && !errors.Is(rm, fs.ErrNotExist) {
		err = rm
	}
	return err
}

func (l *sessionLog) close() error { return l.file.Close() }
