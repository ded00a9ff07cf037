package config

import (
	"encoding"
	"errors"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes. Its text form has a unit of 1024 (4MiB, 10GiB) or of 1000 (100KB, 5GB), or none. It is
// never negative when it was read from text.
type Size int64

var (
	_ encoding.TextMarshaler   = Size(0)
	_ encoding.TextUnmarshaler = (*Size)(nil)
)

type unit struct {
	name  string
	bytes int64
}

// units are ordered so that the first whose name ends a text is its unit.
func units() []unit {
	return []unit{
		{"PiB", 1 << 50}, {"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
		{"PB", 1e15}, {"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"kB", 1e3}, {"B", 1},
	}
}

// ParseSize reads a whole number of bytes, or one with a unit: B, KB, MB, GB, TB, PB, KiB, MiB, GiB, TiB, PiB.
func ParseSize(text string) (Size, error) {
	digits, factor := text, int64(1)
	for _, u := range units() {
		if before, found := strings.CutSuffix(text, u.name); found {
			digits, factor = strings.TrimSuffix(before, " "), u.bytes
			break
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if errors.Is(err, strconv.ErrRange) || err == nil && int64(n) > math.MaxInt64/factor {
		return 0, errors.New("must be below 8EiB, not " + quote(text))
	}
	if err != nil {
		return 0, errors.New("must be a size such as 512KiB, 4MiB or 10GiB, not " + quote(text))
	}
	return Size(n) * Size(factor), nil
}

// String returns the shortest of the exact forms: 4MiB, 100KB, 1234.
func (s Size) String() string {
	best := strconv.FormatInt(int64(s), 10)
	for _, u := range units() {
		if s == 0 || u.bytes == 1 || int64(s)%u.bytes != 0 {
			continue
		}
		if text := strconv.FormatInt(int64(s)/u.bytes, 10) + u.name; len(text) < len(best) {
			best = text
		}
	}
	return best
}

// MarshalText returns String.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is ParseSize.
func (s *Size) UnmarshalText(text []byte) error {
	parsed, err := ParseSize(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}
