package e2e

import (
	"debug/buildinfo"
	"regexp"
	"strings"
	"testing"
)

// moduleVersion returns the version of the module a program was built of by `go install`.
func moduleVersion(t *testing.T, p program) string {
	t.Helper()
	info, err := buildinfo.ReadFile(p.path)
	must(t, err)
	return strings.TrimPrefix(info.Main.Version, "v")
}

var upstreamVersion = regexp.MustCompile(`\d+\.\d+\.\d+`)

// printedVersion returns the version a program tells, without the part of Debian, which changes with each fix.
func printedVersion(t *testing.T, p program) string {
	t.Helper()
	return upstreamVersion.FindString(p.run(t, "--version"))
}
