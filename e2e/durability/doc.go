// Package durability holds the running berth to its promise that what was
// answered with success has reached the disk, and looks at what it does when
// the disk does not play along.
//
//	syscalls_test.go    strace on a push of every kind: which calls, in which order, how many syncs
//	  order_test.go       what each answer promises, and the checker
//	  mutate_test.go      the same traces with a call left out or moved: each must be noticed
//	  call_test.go        strace's output
//	fault_test.go       a sync, rename or write that fails
//	full_test.go        no space: every kind of write (fullwrites_test.go) with 0, 1, 2... pages left
//	fullmeta_test.go    no space for the database to grow, or on a disk of its own
//	firststart_test.go  no space for the first start
//	gone_test.go        the disk is unmounted, renamed, removed, or turns read-only
//	refused_test.go     serve on damaged files, and beside another process
//
// kill -9 is tested in e2e/crash. It keeps the page cache; here are the calls
// that make a promise hold without it.
//
// Most tests need the right to mount; where they may not, they are skipped
// unless BERTH_REQUIRE is set. Their mounts are in a namespace of their own.
//
// Environment, beside that of e2e:
//
//	BERTH_SWEEP  pages of the bodies that meet the full disk (3), and sweeps in steps of one page on every disk
package durability
