package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
)

// schema is the version of the tables in doc.go.
const schema = 1

var schemaKey = []byte("schema")

// lockPoll is how often Open looks whether the other process has gone.
const lockPoll = 10 * time.Millisecond

// errAppeared: another process has created the database just now.
var errAppeared = errors.New("the database has appeared")

// Open opens the database at path, or creates it along with its directory. A
// database in use by another process, damaged, or written by a newer berth is
// an error, and nothing in it is changed.
func Open(path string, opts Options) (*Store, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	db, file, err := openOrCreate(path, opts.Wait)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w: berth runs as user %d, who must be able to read and write it", err, os.Geteuid())
	}
	if err != nil {
		return nil, err
	}
	at, err := newOpened(path, file)
	if err == nil {
		// Even if the file was there: who created it may not have come this far.
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	ss, err := openSessions(path + ".sessions")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	h := newHealth()
	return &Store{at: at, db: db, file: file, health: h, writer: newWriter(db, at, h), sessions: ss, now: opts.Now}, nil
}

func openOrCreate(path string, wait time.Duration) (*bbolt.DB, *os.File, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = create(path, wait)
	}
	if err != nil && !errors.Is(err, errAppeared) {
		return nil, nil, err
	}
	db, file, err := openFile(path, os.O_RDWR, wait, checkFile)
	if err != nil {
		return nil, nil, err
	}
	if err := checkTables(db); err != nil {
		_ = db.Close() // nothing was written; the damage is the news
		return nil, nil, unusable(path, err)
	}
	if err := addTables(db); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", path, err), db.Close())
	}
	return db, file, nil
}

// unusable says what is wrong with a database and what its administrator can
// do about it.
func unusable(path string, err error) error {
	way := "Restore a backup of it, or move it away to begin without tags, manifests and users: the blobs in storage are no part of it"
	if errors.Is(err, errNewer) {
		way = "Start that version again, or restore a backup that this one has made"
	}
	return fmt.Errorf("%s cannot be used: %w; nothing in it was changed. %s", path, err, way)
}

// openFile opens and locks a file, has it checked and hands it to bbolt.
func openFile(path string, flag int, wait time.Duration, check func(*os.File) error) (db *bbolt.DB, file *os.File, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = unusable(path, panicError(p))
		}
		if err != nil && file != nil {
			_ = file.Close() // again, if bbolt has done it; lets go of the lock if bbolt panicked
		}
	}()
	o := boltOptions()
	o.OpenFile = func(string, int, os.FileMode) (*os.File, error) {
		f, err := os.OpenFile(path, flag, 0o600)
		if err != nil {
			return nil, err
		}
		file = f
		if err := lock(f, wait); err != nil {
			return nil, err
		}
		if err := check(f); err != nil {
			return nil, unusable(path, err)
		}
		return f, nil
	}
	db, err = bbolt.Open(path, 0o600, o)
	return db, file, err
}

// boltOptions: every commit syncs its pages and then its meta page
// (NoSync stays off), and the list of free pages is written with it: without,
// Open would have to read the whole database to find them.
func boltOptions() *bbolt.Options {
	o := &bbolt.Options{
		Timeout:      time.Nanosecond,       // the lock is ours already
		FreelistType: bbolt.FreelistMapType, // the array is searched from its start for every page
		NoStatistics: true,                  // they are a lock that all readers share
	}
	if bits.UintSize == 64 {
		// Address space only. Growing the mapping has to wait for every
		// reader; with this it happens at 1 GiB and each GiB after.
		o.InitialMmapSize = 1 << 30
	}
	return o
}

// lock takes the lock that bbolt takes too: on the same open file that is no
// second lock. So the file can be checked before bbolt maps it.
func lock(f *os.File, wait time.Duration) error {
	for end := time.Now().Add(wait); ; time.Sleep(lockPoll) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		if !time.Now().Before(end) {
			return fmt.Errorf("%s is in use by another process", f.Name())
		}
	}
}

// create makes an empty database under another name and gives it its own when
// it is whole: a file at path is never half a database.
func create(path string, wait time.Duration) error {
	if err := makeDir(filepath.Dir(path)); err != nil {
		return err
	}
	tmp := path + ".new"
	db, _, err := openFile(tmp, os.O_RDWR|os.O_CREATE, wait, func(f *os.File) error {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(errAppeared, os.Remove(tmp))
		}
		return f.Truncate(0) // what a start left that was killed here
	})
	if err != nil {
		return err
	}
	err = initialize(db)
	if err == nil {
		err = os.Rename(tmp, path) // while it is locked: nobody else is at it
	}
	if err != nil {
		_ = os.Remove(tmp)
	}
	return errors.Join(err, db.Close())
}

func initialize(db *bbolt.DB) error {
	return db.Update(func(tx *bbolt.Tx) error {
		for _, name := range append(tables(), laterTables()...) {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		return tx.Bucket([]byte(tableMeta)).Put(schemaKey, binary.AppendUvarint(nil, schema))
	})
}

// addTables adds the tables that the version which wrote the file did not
// have, and writes nothing if there are none.
func addTables(db *bbolt.DB) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = panicError(p)
		}
	}()
	var missing []string
	err = db.View(func(tx *bbolt.Tx) error {
		for _, name := range laterTables() {
			b := tx.Bucket([]byte(name))
			if b == nil {
				missing = append(missing, name)
				continue
			}
			b.Cursor().First() // a damaged one is seen here
		}
		return nil
	})
	if err != nil || len(missing) == 0 {
		return err
	}
	return db.Update(func(tx *bbolt.Tx) error {
		for _, name := range missing {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
}

// makeDir is os.MkdirAll, durable.
func makeDir(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeDir(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
