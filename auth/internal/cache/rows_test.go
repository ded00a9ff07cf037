package cache

import (
	"errors"
	"testing"
	"time"
)

func TestRows(t *testing.T) {
	r := NewRows[int](10, 10*time.Second)
	stored, reads := 1, 0
	read := func() (int, error) { reads++; return stored, nil }
	get := func(after time.Duration, want, wantReads int) {
		t.Helper()
		if got, err := r.Get("a", start.Add(after), read); got != want || err != nil || reads != wantReads {
			t.Errorf("after %v: %d %v, %d reads, want %d and %d", after, got, err, reads, want, wantReads)
		}
	}
	get(0, 1, 1)
	stored = 2
	get(10*time.Second-1, 1, 1) // the memory of another's change
	get(10*time.Second, 2, 2)
	stored = 3
	r.Changed("b")
	get(10*time.Second, 2, 2)
	r.Changed("a")
	get(10*time.Second, 3, 3)
	stored = 4
	r.Clear()
	get(10*time.Second, 4, 4)
}

// A row that is changed while it is read may be the old one: it is not
// remembered.
func TestRowsChangedMeanwhile(t *testing.T) {
	r := NewRows[int](10, 10*time.Second)
	for _, change := range []func(){func() { r.Changed("a") }, r.Clear} {
		if got, _ := r.Get("a", start, func() (int, error) { change(); return 1, nil }); got != 1 {
			t.Errorf("%d", got)
		}
		if got, _ := r.Get("a", start, func() (int, error) { return 2, nil }); got != 2 {
			t.Errorf("%d: the old row was remembered", got)
		}
		r.Clear()
	}
}

func TestRowsForgetErrors(t *testing.T) {
	r := NewRows[int](10, 10*time.Second)
	down := errors.New("down")
	if _, err := r.Get("a", start, func() (int, error) { return 0, down }); !errors.Is(err, down) {
		t.Error(err)
	}
	if got, err := r.Get("a", start, func() (int, error) { return 1, nil }); got != 1 || err != nil {
		t.Errorf("%d %v", got, err)
	}
}
