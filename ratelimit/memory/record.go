package memory

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"

	"github.com/berth-registry/berth/ratelimit"
)

// A record in the file: its length, its checksum, and then the length of the
// key's text form, that text, the limit, and the window.
const (
	recordHead = 8
	maxRecord  = 256 << 10 // bytes: MaxPulls pulls in one window take less
)

var errRecord = errors.New("a record cannot be read")

// castagnoli is the checksum that processors have an instruction for.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func appendRecord(b []byte, key ratelimit.Key, e *entry) []byte {
	start := len(b)
	b = append(b, make([]byte, recordHead)...)
	text := key.String()
	b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(e.pulls)), uint64(e.seconds))
	b, _ = e.window.AppendBinary(b)
	body := b[start+recordHead:]
	binary.BigEndian.PutUint32(b[start:], uint32(len(body)))
	binary.BigEndian.PutUint32(b[start+4:], crc32.Checksum(body, castagnoli))
	return b
}

// readRecord reads the body of the next record into buf, which it may replace.
// An error that is io.EOF, io.ErrUnexpectedEOF or errRecord is the end of what
// can be read.
func readRecord(r io.Reader, buf []byte) ([]byte, error) {
	var head [recordHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxRecord {
		return nil, errRecord
	}
	if int(n) > cap(buf) {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if _, err := io.ReadFull(r, buf); err != nil {
		return nil, err
	}
	if crc32.Checksum(buf, castagnoli) != binary.BigEndian.Uint32(head[4:]) {
		return nil, errRecord
	}
	return buf, nil
}

func decodeRecord(b []byte) (key ratelimit.Key, e entry, err error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return key, e, errRecord
	}
	if key, err = ratelimit.ParseKey(string(b[size : size+int(n)])); err != nil {
		return key, e, errRecord
	}
	b = b[size+int(n):]
	for _, v := range []*uint32{&e.pulls, &e.seconds} {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > math.MaxUint32 {
			return key, e, errRecord
		}
		*v, b = uint32(n), b[size:]
	}
	window := e.limit().Window
	if window < ratelimit.MinWindow || window > ratelimit.MaxWindow || e.window.UnmarshalBinary(b) != nil {
		return key, e, errRecord
	}
	return key, e, nil
}
