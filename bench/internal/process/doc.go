// Package process runs the servers under measurement and reads what they cost from Linux' /proc: processor time of
// all their threads, and anonymous memory, which is what a process takes from others (mapped files are page cache).
package process
