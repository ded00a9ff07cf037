package durability

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
)

// inside is set in the process that has its own mounts.
const inside = "BERTH_DURABILITY_INSIDE"

// TestMain runs the tests in a mount namespace of their own, if it may: what
// they mount is seen by nobody else and is gone when they end, however they
// end.
func TestMain(m *testing.M) {
	_ = os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin") // mkfs.ext4
	if os.Geteuid() != 0 || os.Getenv(inside) != "" {
		os.Exit(m.Run())
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	exit := (*exec.ExitError)(nil)
	switch {
	case errors.Is(err, syscall.EPERM): // without the right the tests say themselves what they miss
		os.Exit(m.Run())
	case err != nil && !errors.As(err, &exit):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(cmd.ProcessState.ExitCode())
}

// long reports whether the tests may take their time.
func long() bool { return os.Getenv("BERTH_SWEEP") != "" }

// bodyPages is how many pages the bodies of the sweeps have, and so how many
// steps these take: BERTH_SWEEP, or a few.
func bodyPages(t *testing.T) int {
	if !long() {
		return 3
	}
	n, err := strconv.Atoi(os.Getenv("BERTH_SWEEP"))
	must(t, err)
	return n
}
