package durability

import (
	"encoding/binary"
	"os"
	"syscall"
	"testing"
)

// hollow gives the blocks of all free pages of the database back to the disk.
// A database that has been in use writes into free pages first, and a full disk
// would only be met after many commits; so each page that a commit writes needs
// room. The layout is that of bbolt's format version 2; nobody may write
// meanwhile.
func hollow(t *testing.T, db string) {
	t.Helper()
	const punch = 0x1 | 0x2 // FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
	f, err := os.OpenFile(db, os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	size := int64(os.Getpagesize())
	bytes := func(n int, at int64) []byte {
		b := make([]byte, n)
		_, err := f.ReadAt(b, at)
		must(t, err)
		return b
	}
	number := func(at int64) uint64 { return binary.NativeEndian.Uint64(bytes(8, at)) }
	meta := int64(16) // after the page's header
	if number(size+16+48) > number(16+48) {
		meta += size // its transaction is the newer one
	}
	list := int64(number(meta+32)) * size
	count := binary.NativeEndian.Uint16(bytes(2, list+10)) // after number and flags of the page
	if count == 0xffff {
		t.Fatal("the list of free pages is longer than this test can read")
	}
	for i := range int64(count) {
		page := int64(number(list + 16 + i*8))
		must(t, syscall.Fallocate(int(f.Fd()), punch, page*size, size))
	}
}
