package server

import (
	"errors"
	"fmt"
	"testing"

	"github.com/berth-registry/berth/oci"
)

func TestParseContentRange(t *testing.T) {
	for s, want := range map[string][2]int64{
		"0-0": {0, 1}, "0-9": {0, 10}, "10-19": {10, 10}, "bytes 5-9/*": {5, 5}, "bytes 5-9/100": {5, 5},
		"0-4611686018427387903": {0, 1 << 62},
	} {
		start, length, err := parseContentRange(s)
		if err != nil || start != want[0] || length != want[1] {
			t.Errorf("%q = %d, %d, %v", s, start, length, err)
		}
	}
	for _, s := range []string{"", "-", "0", "0-", "-9", "9-0", "a-b", "0-9-10", "+0-9", " 0-9", "0 - 9", "bytes */10", "0-9223372036854775808", "0x0-9"} {
		if _, _, err := parseContentRange(s); !errors.Is(err, oci.ErrUploadInvalid) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func FuzzContentRange(f *testing.F) {
	for _, s := range []string{"0-9", "bytes 0-9/10", "-1-5", "0-99999999999999999999", "5-4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		start, length, err := parseContentRange(s)
		if err != nil {
			return
		}
		if start < 0 || length < 1 || start+length < start {
			t.Fatalf("%q = %d, %d", s, start, length)
		}
		again := fmt.Sprintf("%d-%d", start, start+length-1)
		if a, n, err := parseContentRange(again); err != nil || a != start || n != length {
			t.Fatalf("%q is %q, which is %d, %d, %v", s, again, a, n, err)
		}
	})
}
