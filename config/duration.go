package config

import (
	"cmp"
	"encoding"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration whose text form also knows days: 90s, 5m, 1h30m, 30d, 1d12h, 0. It is never negative
// when it was read from text.
type Duration time.Duration

var (
	_ encoding.TextMarshaler   = Duration(0)
	_ encoding.TextUnmarshaler = (*Duration)(nil)
)

// ParseDuration reads what String writes, and every Go duration that is not negative.
func ParseDuration(text string) (Duration, error) {
	days, rest, err := cutDays(text)
	if err != nil || strings.HasPrefix(rest, "+") || strings.HasPrefix(rest, "-") {
		return 0, errDuration(text)
	}
	d, err := time.ParseDuration(rest)
	if err != nil || Duration(d) > math.MaxInt64-days {
		return 0, errDuration(text)
	}
	return days + Duration(d), nil
}

// cutDays splits 1d12h into a day and 12h, 1d into a day and 0. No unit of Go's own contains a d.
func cutDays(text string) (days Duration, rest string, err error) {
	before, after, found := strings.Cut(text, "d")
	if !found {
		return 0, text, nil
	}
	n, err := strconv.ParseUint(before, 10, 32)
	if err != nil {
		return 0, "", err
	}
	if n > uint64(math.MaxInt64/day) {
		return 0, "", strconv.ErrRange
	}
	return Duration(n) * day, cmp.Or(after, "0"), nil
}

func errDuration(text string) error {
	return errors.New("must be a duration such as 30s, 5m, 24h or 30d, not " + quote(text))
}

// String returns the shortest usual form: 5m rather than 5m0s, 30d rather than 720h0m0s.
func (d Duration) String() string {
	if d < day {
		return trimZeros(time.Duration(d).String())
	}
	text := strconv.FormatInt(int64(d/day), 10) + "d"
	if rest := d % day; rest != 0 {
		text += trimZeros(time.Duration(rest).String())
	}
	return text
}

func trimZeros(text string) string {
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText returns String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is ParseDuration.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := ParseDuration(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
