package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unsteady is what differs from run to run in what clients print, and what stands for it in the documentation.
var unsteady = []struct {
	what *regexp.Regexp
	sign string
}{
	{regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`), ""},
	{regexp.MustCompile(`sha256:[0-9a-f]{64}`), "sha256:…"},
	{regexp.MustCompile(`possible in [0-9dhms]+`), "possible in …"},
	{regexp.MustCompile(`\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d[0-9.:Z+-]*`), "TIME"},
}

// Logs of the client's own are not its message, and neither is the progress in front of the line that names an error.
var (
	noise    = regexp.MustCompile(`(?i)level=(info|warn)`)
	announce = regexp.MustCompile(`(?i)^error\b`)
)

// seen is the message of a failure as its user sees it, without what is different each time: a line for each of its lines.
func (s *server) seen(r result) string {
	text := strings.TrimSpace(r.stderr)
	if text == "" {
		text = r.stdout
	}
	text = strings.ReplaceAll(text, s.addr, "HOST")
	for _, u := range unsteady {
		text = u.what.ReplaceAllString(text, u.sign)
	}
	var lines []string
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		line = strings.Join(strings.Fields(line), " ")
		if line != "" && !noise.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, slices.IndexFunc(lines, announce.MatchString)):], "\n")
}

func (r result) succeeds(t *testing.T) {
	t.Helper()
	if r.code != 0 {
		t.Fatalf("exit code %d, want 0\n%s%s", r.code, r.stdout, r.stderr)
	}
}

func (r result) fails(t *testing.T) {
	t.Helper()
	if r.code == 0 {
		t.Fatalf("exit code 0, want a failure\n%s%s", r.stdout, r.stderr)
	}
}
