package ratelimit_test

import (
	"testing"
	"time"

	"github.com/berth-registry/berth/ratelimit"
)

// FuzzWindow reads windows from anything. One that can be read is written and
// read as the same, and never breaks a decision.
func FuzzWindow(f *testing.F) {
	var w ratelimit.Window
	empty, _ := w.AppendBinary(nil)
	f.Add(empty, int64(60), int64(0))
	for i := range 100 {
		w.Take(per(1_000_000, 24*time.Hour), int64(1+i*i), start.Add(time.Duration(i)*17*time.Minute))
	}
	w.Take(per(10, time.Hour), 1, start.Add(30*time.Hour))
	full, _ := w.AppendBinary(nil)
	f.Add(full, int64(3600), int64(1))
	f.Add([]byte{60, 0, 0, 5, 0, 1, 0, 1}, int64(60), int64(1))
	f.Add([]byte{60, 61, 0, 5}, int64(60), int64(1))
	f.Add([]byte{0, 0, 0, 1}, int64(60), int64(1))
	f.Add([]byte{60, 0, 0, 100, 73, 1}, int64(60), int64(1))
	f.Add([]byte{60, 0, 0, 100, 3, 1, 4, 1}, int64(60), int64(1))
	f.Fuzz(func(t *testing.T, b []byte, window, micros int64) {
		var w, again ratelimit.Window
		if w.UnmarshalBinary(b) != nil {
			return
		}
		written, _ := w.AppendBinary(nil)
		if err := again.UnmarshalBinary(written); err != nil {
			t.Fatal(err)
		}
		limit := per(100, time.Duration(min(max(window, 60), 31*86400))*time.Second)
		now := time.UnixMicro(min(max(micros, 0), 1<<53))
		one, other := w.Take(limit, 1, now), again.Take(limit, 1, now)
		if one != other {
			t.Errorf("%+v, and after writing and reading %+v", one, other)
		}
		if one.Remaining < 0 || one.Used < 0 || one.Reset < 0 || one.Allowed && one.Used > limit.Pulls {
			t.Errorf("%+v", one)
		}
	})
}
