package auth_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
)

func TestRetryAfter(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want int
	}{
		{&auth.DelayError{Wait: time.Nanosecond}, 1},
		{&auth.DelayError{Wait: time.Second}, 1},
		{fmt.Errorf("login: %w", &auth.DelayError{Wait: time.Second + 1}), 2},
		{&auth.DelayError{Wait: 5 * time.Minute}, 300},
		{auth.ErrTooManyLogins, 5},
		{errors.New("down"), 5},
	} {
		if got := auth.RetryAfter(tc.err); got != tc.want {
			t.Errorf("%v: %d, want %d", tc.err, got, tc.want)
		}
	}
}
