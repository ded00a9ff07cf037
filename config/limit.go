package config

import (
	"encoding"
	"errors"
	"strconv"
)

// Limit is a number of pulls per window. Its text form is a number, or "unlimited"; 0 means unlimited too.
type Limit int64

// Unlimited is the Limit of those who are not counted.
const Unlimited Limit = 0

// limitUnset is what an override has whose limit was left out. Validate refuses it.
const limitUnset Limit = -1

var (
	_ encoding.TextMarshaler   = Limit(0)
	_ encoding.TextUnmarshaler = (*Limit)(nil)
)

// ParseLimit reads a whole number that is not negative, or "unlimited".
func ParseLimit(text string) (Limit, error) {
	if text == "unlimited" {
		return Unlimited, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, errors.New("must be a number of pulls or unlimited, not " + quote(text))
	}
	return Limit(n), nil
}

// String returns the number, or "unlimited".
func (l Limit) String() string {
	if l == Unlimited {
		return "unlimited"
	}
	return strconv.FormatInt(int64(l), 10)
}

// MarshalText returns String.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText is ParseLimit.
func (l *Limit) UnmarshalText(text []byte) error {
	parsed, err := ParseLimit(string(text))
	if err != nil {
		return err
	}
	*l = parsed
	return nil
}
