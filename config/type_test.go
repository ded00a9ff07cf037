package config

import (
	"math"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	const h = Duration(time.Hour)
	good := map[string]Duration{
		"0": 0, "0s": 0, "5m": h / 12, "90s": h / 40, "24h": day, "1d": day, "30d": 30 * day, "720h": 30 * day,
		"1d12h": 36 * h, "1d0": day, "1.5h": 90 * h / 60, "106751d": 106751 * day,
	}
	for text, want := range good {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "5", "-5m", "+5m", "d", "-1d", "1d-1h", "1dd", "1.5d", "1w", "12h1d", "106752d", "106751d24h", "99999999999999999999d", "300000000h", " 5m", "5 m"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", text, got)
		}
	}
}

func TestDurationString(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Minute: "1m", time.Hour: "1h", 90 * time.Second: "1m30s", 61 * time.Minute: "1h1m", 24 * time.Hour: "1d",
		720 * time.Hour: "30d", 36*time.Hour + time.Second: "1d12h0m1s", 100 * time.Millisecond: "100ms", 10 * time.Second: "10s",
	} {
		if got := Duration(d).String(); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestParseSize(t *testing.T) {
	good := map[string]Size{
		"0": 0, "1": 1, "5B": 5, "4KiB": 4 << 10, "4MiB": 4 << 20, "10GiB": 10 << 30, "1TiB": 1 << 40, "2PiB": 2 << 50,
		"100KB": 1e5, "100kB": 1e5, "3MB": 3e6, "3GB": 3e9, "3TB": 3e12, "3PB": 3e15, "4 MiB": 4 << 20,
		"9223372036854775807": math.MaxInt64, "8191PiB": 8191 << 50,
	}
	for text, want := range good {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "B", "MiB", "-1", "+1", "1.5GiB", "4M", "4mib", "0x10", "1_000", "9223372036854775808", "8192PiB", "99999999999999999999GB", "4  MiB", " 4"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("ParseSize(%q) = %v, want an error", text, got)
		}
	}
}

func TestSizeString(t *testing.T) {
	for s, want := range map[Size]string{0: "0", 1: "1", 1234: "1234", 4 << 20: "4MiB", 10 << 30: "10GiB", 1e5: "100KB", 1e12: "1TB", 1536: "1536"} {
		if got := s.String(); got != want {
			t.Errorf("%d is %q, want %q", int64(s), got, want)
		}
	}
}

func TestParseLimit(t *testing.T) {
	for text, want := range map[string]Limit{"0": Unlimited, "unlimited": Unlimited, "5000": 5000} {
		if got, err := ParseLimit(text); err != nil || got != want {
			t.Errorf("ParseLimit(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "none", "1.5", "Unlimited", "9223372036854775808"} {
		if got, err := ParseLimit(text); err == nil {
			t.Errorf("ParseLimit(%q) = %v, want an error", text, got)
		}
	}
}

func TestTextRoundTrips(t *testing.T) {
	for _, n := range []int64{0, 1, 999, 1000, 1024, 60e9, 3600e9, 86400e9, 86401e9, 90061e9 + 1, 1 << 40, 1e15, math.MaxInt64} {
		if got, err := ParseDuration(Duration(n).String()); err != nil || got != Duration(n) {
			t.Errorf("duration %d -> %v -> %d, %v", n, Duration(n), got, err)
		}
		if got, err := ParseSize(Size(n).String()); err != nil || got != Size(n) {
			t.Errorf("size %d -> %v -> %d, %v", n, Size(n), got, err)
		}
		if got, err := ParseLimit(Limit(n).String()); err != nil || got != Limit(n) {
			t.Errorf("limit %d -> %v -> %d, %v", n, Limit(n), got, err)
		}
	}
}

func FuzzTexts(f *testing.F) {
	for _, seed := range []string{"1d12h", "4MiB", "unlimited", "0", "-1", "106751d23h47m16.854775807s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := ParseDuration(text); err == nil {
			if again, err := ParseDuration(d.String()); err != nil || again != d || d < 0 {
				t.Errorf("%q -> %v -> %v, %v", text, d, again, err)
			}
		}
		if s, err := ParseSize(text); err == nil {
			if again, err := ParseSize(s.String()); err != nil || again != s || s < 0 {
				t.Errorf("%q -> %v -> %v, %v", text, s, again, err)
			}
		}
	})
}
