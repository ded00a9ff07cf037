package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// onDisk refuses a directory whose syncs cost nothing.
func onDisk(dir string) error {
	const tmpfs = 0x01021994 // TMPFS_MAGIC, statfs(2)
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("-dir: %s: %w", dir, err)
	}
	if fs.Type == tmpfs {
		return fmt.Errorf("-dir: %s is in memory (tmpfs); durable writes are to be measured on a disk", dir)
	}
	return nil
}

// describeDisk says what kind of file system dir is on. The kind decides the rows that write: an ext4 without a journal
// has nothing that syncs of several files could share, and searches long for inodes while many are deleted.
func describeDisk(dir string) string {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "an unknown file system"
	}
	kind, source := mountOf(info, dir)
	if kind != "ext4" {
		return kind
	}
	journals, _ := filepath.Glob("/proc/fs/jbd2/" + filepath.Base(source) + "-*") // the pattern is good
	if len(journals) == 0 {
		return "ext4 without a journal"
	}
	return kind
}

// mountOf finds the file system that an absolute path is on, and its device, in proc_pid_mountinfo(5):
//
//	36 35 98:0 /root /mount/point rw,noatime master:1 - ext4 /dev/sda1 rw
func mountOf(info []byte, path string) (kind, source string) {
	longest := -1
	for line := range bytes.Lines(info) {
		fields := strings.Fields(string(line))
		dash := 6
		for dash < len(fields) && fields[dash] != "-" {
			dash++
		}
		if dash+2 >= len(fields) {
			continue
		}
		point := strings.TrimSuffix(fields[4], "/")
		if len(point) >= longest && (path == point || strings.HasPrefix(path, point+"/")) {
			longest, kind, source = len(point), fields[dash+1], fields[dash+2]
		}
	}
	return kind, source
}
