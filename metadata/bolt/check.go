package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"runtime/debug"

	"go.etcd.io/bbolt"
)

// bbolt trusts its file: a file that is shorter than its meta page says is a
// fault in mapped memory, a broken free list hands out pages that are in use.
// So the little that Open depends on is read here first, with plain reads:
// the meta pages, the size, the head of the root page and the free list. The
// cost grows with the free list, which bbolt reads at Open too, and with
// nothing else. The layout is that of bbolt's format version 2.

const (
	metaOffset   = 16 // of the meta record in its page, after the page header
	metaSize     = 64
	metaMagic    = 0xED0CDAED
	metaVersion  = 2
	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
	noFreelist   = ^uint64(0)
)

// meta is what a meta page says.
type meta struct {
	pageSize             int64
	root, freelist, high uint64 // page ids; high is the first that was never used
	txid                 uint64
}

// pageHead is the header of a page.
type pageHead struct {
	id       uint64
	flags    uint16
	count    uint16
	overflow uint32
}

func checkFile(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return errors.New("it is empty")
	}
	m, err := newestMeta(f, info.Size())
	if err != nil {
		return err
	}
	if limit := uint64(info.Size() / m.pageSize); m.high > limit {
		return fmt.Errorf("it was cut: %d pages of %d bytes belong to it and %d are there", m.high, m.pageSize, limit)
	}
	root, err := readPageHead(f, m, m.root)
	if err != nil {
		return err
	}
	if root.flags != branchPage && root.flags != leafPage {
		return errors.New("it is damaged: the root page is none")
	}
	return checkFreelist(f, m)
}

// newestMeta reads both meta pages as bbolt does. The second one stands after
// one page, whose size may only be known from the second one.
func newestMeta(f *os.File, size int64) (meta, error) {
	newest, found := readMeta(f, 0)
	if found {
		if m, ok := readMeta(f, newest.pageSize); ok && m.txid > newest.txid {
			newest = m
		}
		return newest, nil
	}
	for at := int64(1024); at <= 1024<<14 && at < size; at *= 2 {
		if m, ok := readMeta(f, at); ok && m.pageSize == at {
			return m, nil
		}
	}
	return meta{}, errors.New("it is no database, or damaged: neither of its two meta pages is valid")
}

func readMeta(f *os.File, at int64) (meta, bool) {
	var b [metaSize]byte
	if _, err := f.ReadAt(b[:], at+metaOffset); err != nil {
		return meta{}, false
	}
	u32, u64 := binary.NativeEndian.Uint32, binary.NativeEndian.Uint64
	sum := fnv.New64a()
	sum.Write(b[:metaSize-8])
	if u32(b[0:]) != metaMagic || u32(b[4:]) != metaVersion || u64(b[56:]) != sum.Sum64() {
		return meta{}, false
	}
	m := meta{pageSize: int64(u32(b[8:])), root: u64(b[16:]), freelist: u64(b[32:]), high: u64(b[40:]), txid: u64(b[48:])}
	return m, m.pageSize >= 1024 && m.pageSize&(m.pageSize-1) == 0
}

func readPageHead(f *os.File, m meta, id uint64) (pageHead, error) {
	if id < 2 || id >= m.high {
		return pageHead{}, fmt.Errorf("it is damaged: page %d is out of range", id)
	}
	var b [16]byte
	if _, err := f.ReadAt(b[:], int64(id)*m.pageSize); err != nil {
		return pageHead{}, err
	}
	p := pageHead{
		id:       binary.NativeEndian.Uint64(b[0:]),
		flags:    binary.NativeEndian.Uint16(b[8:]),
		count:    binary.NativeEndian.Uint16(b[10:]),
		overflow: binary.NativeEndian.Uint32(b[12:]),
	}
	if p.id != id || uint64(p.overflow) >= m.high-id {
		return pageHead{}, fmt.Errorf("it is damaged: page %d does not belong there", id)
	}
	return p, nil
}

// checkFreelist holds every id against the range of pages and their order.
func checkFreelist(f *os.File, m meta) error {
	if m.freelist == noFreelist {
		return nil
	}
	p, err := readPageHead(f, m, m.freelist)
	if err != nil {
		return err
	}
	broken := errors.New("it is damaged: the list of free pages is broken")
	if p.flags != freelistPage {
		return broken
	}
	body := make([]byte, (int64(p.overflow)+1)*m.pageSize-16)
	if _, err := f.ReadAt(body, int64(m.freelist)*m.pageSize+16); err != nil {
		return err
	}
	n := uint64(p.count)
	if n == 0xffff { // more than fit: the first entry is the count
		n, body = binary.NativeEndian.Uint64(body), body[8:]
	}
	if n > uint64(len(body)/8) {
		return broken
	}
	last := uint64(1)
	for i := range n {
		id := binary.NativeEndian.Uint64(body[i*8:])
		if id <= last || id >= m.high {
			return broken
		}
		last = id
	}
	return nil
}

var errNewer = errors.New("it was written by a newer version of berth")

// checkTables reads what every transaction depends on.
func checkTables(db *bbolt.DB) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = panicError(p)
		}
	}()
	return db.View(func(tx *bbolt.Tx) error {
		for _, name := range tables() {
			b := tx.Bucket([]byte(name))
			if b == nil {
				return fmt.Errorf("it is no database of berth, or damaged: it has no table %q", name)
			}
			b.Cursor().First()
		}
		return checkSchema(tx)
	})
}

func checkSchema(tx *bbolt.Tx) error {
	v, n := binary.Uvarint(get(tx, tableMeta, schemaKey))
	switch {
	case n <= 0 || v == 0:
		return errors.New("it is damaged: it has no schema version")
	case v > schema:
		return fmt.Errorf("%w (schema %d, known is %d)", errNewer, v, schema)
	}
	return nil
}
