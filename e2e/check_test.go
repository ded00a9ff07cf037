package e2e

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func contains(t *testing.T, what, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("%s: no %q in:\n%s", what, want, text)
	}
}

func lacks(t *testing.T, what, text, unwanted string) {
	t.Helper()
	if strings.Contains(text, unwanted) {
		t.Errorf("%s: unexpected %q in:\n%s", what, unwanted, text)
	}
}

// until asks done every few milliseconds and fails the test when it never says yes.
func until(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(limit)
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within %v", what, limit)
		}
	}
}

// skip ends a test that cannot run here, which BERTH_REQUIRE does not accept.
func skip(t *testing.T, why string) {
	t.Helper()
	if demanded := os.Getenv("BERTH_REQUIRE"); demanded != "" {
		t.Fatalf("cannot run, and BERTH_REQUIRE=%s: %s", demanded, why)
	}
	t.Skip(why)
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return string(data)
}

// sorted makes lists comparable whose order means nothing.
func sorted(list ...string) string {
	slices.Sort(list)
	return strings.Join(list, "\n")
}
