package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// CPU is the processor time that a process has used, all threads together.
type CPU struct {
	Total        time.Duration // exact
	User, System time.Duration // in ticks of 10 ms; how Total divides
}

// Sub returns what was used since before.
func (c CPU) Sub(before CPU) CPU {
	return CPU{c.Total - before.Total, c.User - before.User, c.System - before.System}
}

// ReadCPU returns what a process has used so far.
func ReadCPU(pid int) (CPU, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return CPU{}, err
	}
	c, err := parseStat(stat)
	if err != nil {
		return CPU{}, err
	}
	c.Total, err = clock(pid)
	return c, err
}

// clockTick is a tick of /proc/PID/stat: USER_HZ is 100 on every architecture that Go runs on.
const clockTick = 10 * time.Millisecond

// parseStat reads utime and stime, fields 14 and 15 of proc_pid_stat(5). The second field is a name in parentheses
// that may contain anything.
func parseStat(b []byte) (c CPU, err error) {
	const utime, stime = 14 - 3, 15 - 3 // counted from the field after the name
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) <= stime {
		return c, errors.New("/proc/PID/stat cannot be read")
	}
	user, err := strconv.ParseInt(string(fields[utime]), 10, 64)
	if err != nil {
		return c, err
	}
	system, err := strconv.ParseInt(string(fields[stime]), 10, 64)
	if err != nil {
		return c, err
	}
	c.User, c.System = time.Duration(user)*clockTick, time.Duration(system)*clockTick
	return c, nil
}

// clock reads the CPU-time clock of a process (clock_getcpuclockid(3)): the sum of utime and stime in nanoseconds.
func clock(pid int) (time.Duration, error) {
	const cpuClock = 2 // CPUCLOCK_SCHED, of the whole process
	id := ^uint32(pid)<<3 | cpuClock
	var ts syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(id), uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		return 0, os.NewSyscallError("clock_gettime", errno)
	}
	return time.Duration(ts.Nano()), nil
}

// Self returns what this program has used.
func Self() (time.Duration, error) { return clock(os.Getpid()) }

// Settle waits until a process has nothing to do any more: what it does behind its answers is part of their cost.
func Settle(pid int, atMost time.Duration) error {
	const window = 50 * time.Millisecond
	const idle = window / 50 // time used within a window: what a garbage collector or a ticker takes
	before, err := clock(pid)
	for end := time.Now().Add(atMost); err == nil && time.Now().Before(end); {
		time.Sleep(window)
		var now time.Duration
		if now, err = clock(pid); now-before < idle {
			return err
		}
		before = now
	}
	return err
}
