package ratelimit

import (
	"encoding"
	"encoding/binary"
	"errors"
)

var (
	_ encoding.BinaryAppender    = (*Window)(nil)
	_ encoding.BinaryUnmarshaler = (*Window)(nil)
)

var errEncoding = errors.New("this is no window")

// AppendBinary appends what UnmarshalBinary reads. It never fails.
func (w *Window) AppendBinary(b []byte) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(w.span))
	b = binary.AppendUvarint(b, uint64(w.next))
	b = append(b, w.idle)
	b = binary.AppendUvarint(b, uint64(w.last))
	for i, c := range w.counts {
		b = append(b, byte(w.last-w.number(i)))
		b = binary.AppendUvarint(b, uint64(c.pulls()))
	}
	return b, nil
}

// UnmarshalBinary reads one window, all of b. What Take could not have made is
// an error.
func (w *Window) UnmarshalBinary(b []byte) error {
	r := reader{b: b}
	v := Window{span: uint32(r.uvarint(maxSpan)), next: uint32(r.uvarint(maxSpan)), idle: r.byte(), last: int64(r.uvarint(maxLast))}
	oldest := int64(-1)
	for len(r.b) > 0 {
		age, n := r.byte(), r.uvarint(maxCount)
		number := v.last - int64(age)
		if age > slots || n == 0 || number < oldest {
			return errEncoding
		}
		oldest = number
		if len(v.counts) == cap(v.counts) {
			v.grow()
		}
		v.counts = append(v.counts, newCount(number, int64(n)))
	}
	if r.bad || v.span == 0 && (v.last != 0 || len(v.counts) > 0) || v.next > v.span {
		return errEncoding
	}
	*w = v
	return nil
}

const (
	maxSpan = uint64(MaxWindow / 1e9) // seconds
	maxLast = 1 << 53
)

// reader reads from the front. After what does not fit it returns zeros and is bad.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint(most uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > most {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}
