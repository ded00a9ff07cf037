package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// scratch is removed after the run; sockets live in it, so its path must stay short (108 bytes in all).
var scratch string

// atExit holds what is left to do at the end of the run, in this order.
var atExit struct {
	sync.Mutex
	steps []func() error
}

func TestMain(m *testing.M) {
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	dir, err := os.MkdirTemp("", "berth-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	scratch = dir
	code := m.Run()
	printFigures()
	finally(func() error { return os.RemoveAll(dir) })
	for _, step := range atExit.steps {
		if err := step(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	return code
}

// finally runs step after the last test.
func finally(step func() error) {
	atExit.Lock()
	defer atExit.Unlock()
	atExit.steps = append(atExit.steps, step)
}

// workDir returns a new directory below scratch, with a short path. If t fails, its files are kept.
func workDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(scratch, "t")
	must(t, err)
	return dir
}

// keep copies a file of a failed test to where it outlives the run, and says where.
func keep(t *testing.T, file string) {
	t.Helper()
	if !t.Failed() {
		return
	}
	root := os.Getenv("BERTH_E2E_KEEP")
	if root == "" {
		root = filepath.Join(os.TempDir(), "berth-e2e-failed")
	}
	dir := filepath.Join(root, t.Name())
	data, err := os.ReadFile(file)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, filepath.Base(file)), data, 0o644)
	}
	if err != nil {
		t.Logf("keep %s: %v", file, err)
		return
	}
	t.Logf("kept %s", filepath.Join(dir, filepath.Base(file)))
}

// figures are what the run measured, printed at its end.
var figures struct {
	sync.Mutex
	lines []string
}

func figure(t *testing.T, format string, args ...any) {
	t.Helper()
	line := fmt.Sprintf("%-32s ", t.Name()) + fmt.Sprintf(format, args...)
	t.Log(line)
	figures.Lock()
	defer figures.Unlock()
	figures.lines = append(figures.lines, line)
}

func printFigures() {
	for _, line := range figures.lines {
		fmt.Println(line)
	}
}
