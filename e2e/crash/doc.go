// Package crash holds berth to its promise by killing it: writers push all
// kinds of content, the process gets SIGKILL at a random moment, and after the
// next start everything that was answered with success is there, byte for
// byte, everything deleted stays deleted, and whatever else can be seen is
// complete.
//
//	crash_test.go    the rounds: start, load, kill, look at the disk, start, verify
//	writer_test.go   one writer: which operations it does, on a repository of its own
//	model_test.go    what a writer knows: present, absent, or not told
//	server_test.go   the process and its disk
//	client_test.go   requests
//
// kill -9 keeps the page cache, so this says nothing about power cuts: the
// order of the system calls is tested elsewhere (e2e/durability).
package crash
