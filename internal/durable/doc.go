// Package durable holds the few steps that make a change to a file system
// survive a power cut, each written down to its system calls.
//
//	SyncData(f)      fdatasync(f)                     the bytes of f, and its length
//	SyncDir(d)       open(d) fsync close              the names in d
//	Rename(a, b)     rename(a, b)                     the name b, and that a is gone
//	                 fsync(dir of b) fsync(dir of a)
//	MkdirAll(p)      mkdir, fsync(parent)             per directory that was missing
//
// The guarantee: when a function returns nil, what it names is on the disk.
// When it returns an error nothing is promised, and the step may be there or
// not after a crash. Writing a file durably under its name takes all of it, in
// this order:
//
//	write, SyncData, Rename
//
// A rename that is on the disk before the bytes shows an empty file after a
// crash; bytes without a synced directory are bytes that nobody finds.
//
// Two dangers. A failed fsync must not be tried again on the same bytes: the
// kernel has reported the error, marked the pages clean, and answers the second
// call with success; write them anew. And a directory that another process has
// just made may not be durable yet: who must be sure syncs its parent itself.
//
// On darwin a sync is fcntl(F_FULLFSYNC), because fsync leaves bytes in the
// drive's cache there.
//
// The package knows paths and files and nothing of berth.
package durable
