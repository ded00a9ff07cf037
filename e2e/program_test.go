package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// commandLimit ends a client that hangs. Building berth in a container takes minutes on a busy machine.
const commandLimit = 10 * time.Minute

// program is an external command with what all its calls share: leading arguments, environment, directory, input.
type program struct {
	path  string
	args  []string
	env   []string
	dir   string
	stdin []byte
}

// result is what a finished command left.
type result struct {
	stdout, stderr string
	code           int
}

// require finds a program, among the pinned tools first, or skips the test.
func require(t *testing.T, name string) program {
	t.Helper()
	for _, dir := range []string{"../.tools", "/usr/bin", "/usr/sbin", "/sbin"} {
		path, err := filepath.Abs(filepath.Join(dir, name))
		must(t, err)
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 {
			return program{path: path}
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		skip(t, name+" is not installed (run e2e/install-tools.sh)")
	}
	return program{path: path}
}

// requireSlow finds a program of tools-clients.txt, which takes minutes to build: only BERTH_REQUIRE=clients insists on it.
func requireSlow(t *testing.T, name string) program {
	t.Helper()
	if _, err := os.Stat(filepath.Join("../.tools", name)); err != nil && os.Getenv("BERTH_REQUIRE") != "clients" {
		t.Skipf("%s is not installed (run e2e/install-tools.sh tools-clients.txt)", name)
	}
	return require(t, name)
}

func (p program) with(args ...string) program {
	p.args = append(p.args[:len(p.args):len(p.args)], args...)
	return p
}

func (p program) setenv(env ...string) program {
	p.env = append(p.env[:len(p.env):len(p.env)], env...)
	return p
}

func (p program) in(dir string) program {
	p.dir = dir
	return p
}

func (p program) input(text string) program {
	p.stdin = []byte(text)
	return p
}

// run returns the standard output of a call that must succeed, without the last newline.
func (p program) run(t *testing.T, args ...string) string {
	t.Helper()
	res := p.exec(t, args...)
	if res.code != 0 {
		t.Fatalf("exit code %d, want 0\n%s%s", res.code, res.stdout, res.stderr)
	}
	return strings.TrimSuffix(res.stdout, "\n")
}

// fail returns everything a call printed that must fail.
func (p program) fail(t *testing.T, args ...string) string {
	t.Helper()
	res := p.exec(t, args...)
	if res.code == 0 {
		t.Fatalf("exit code 0, want a failure\n%s%s", res.stdout, res.stderr)
	}
	return res.stdout + res.stderr
}

// exec logs the call and how long it took.
func (p program) exec(t *testing.T, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandLimit)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := p.with(args...).command(ctx)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	t.Logf("$ %s %s (%v)", filepath.Base(p.path), strings.Join(cmd.Args[1:], " "), time.Since(start).Round(time.Millisecond))
	var exit *exec.ExitError
	if ctx.Err() != nil || err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v (%v)\n%s%s", err, ctx.Err(), &stdout, &stderr)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

func (p program) command(ctx context.Context) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.path, p.args...)
	cmd.Env = append(environ(), p.env...)
	cmd.Dir = p.dir
	cmd.WaitDelay = 5 * time.Second
	if p.stdin != nil {
		cmd.Stdin = bytes.NewReader(p.stdin)
	}
	return cmd
}

// environ leaves out the variables of this suite: berth refuses to start when it meets a BERTH_ variable it does not know.
func environ() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "BERTH_") })
}
