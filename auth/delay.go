package auth

import (
	"errors"
	"fmt"
	"time"
)

// DelayError is a login that was not looked at because it came too soon after
// wrong ones. It wraps ErrTooManyLogins.
type DelayError struct {
	Wait time.Duration // until the same login will be looked at; above 0
}

// RetryAfter is when whoever got an error may come back, in seconds (RFC 9110,
// section 10.2.3): after the delay, or in a moment.
func RetryAfter(err error) int {
	const moment = 5
	if tooSoon := (*DelayError)(nil); errors.As(err, &tooSoon) {
		return tooSoon.Seconds()
	}
	return moment
}

// Seconds is Wait in whole seconds, rounded up.
func (e *DelayError) Seconds() int { return int((e.Wait + time.Second - 1) / time.Second) }

func (e *DelayError) Error() string {
	return fmt.Sprintf("too many wrong logins: try again in %d s", e.Seconds())
}

func (e *DelayError) Unwrap() error { return ErrTooManyLogins }
