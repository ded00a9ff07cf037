package memory_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/berth-registry/berth/ratelimit"
	"github.com/berth-registry/berth/ratelimit/memory"
)

// TestRestart finds everything again.
func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new/directory/pulls")
	c := open(t, memory.Options{Path: path}, start)
	bob := ratelimit.Named(ratelimit.Robot, "bob")
	for _, key := range []ratelimit.Key{alice, bob, address(1), {}} {
		take(t, c, key, 3, start)
	}
	ok(t, c.Close())

	later := start.Add(time.Hour)
	c = open(t, memory.Options{Path: path}, later)
	for _, key := range []ratelimit.Key{alice, bob, address(1), {}} {
		if d := take(t, c, key, 1, later); d.Used != 4 {
			t.Errorf("%s has used %d, want 4", key, d.Used)
		}
	}
	ok(t, c.Reset(ctx, alice))
	ok(t, c.Close())

	c = open(t, memory.Options{Path: path}, later)
	if d := take(t, c, alice, 0, later); d.Used != 0 {
		t.Errorf("alice has used %d after a reset", d.Used)
	}
	for count, err := range c.Counts(ctx, later) {
		ok(t, err)
		if count.Used != 4 || count.Limit != limit {
			t.Errorf("%s: %+v", count.Key, count)
		}
	}
	ok(t, c.Close())

	c = open(t, memory.Options{Path: path}, start.Add(8*time.Hour))
	if c.Keys() != 0 {
		t.Errorf("%d keys after their window", c.Keys())
	}
	ok(t, c.Close())
}

// TestKill loses what was counted since the last Save, and nothing else.
func TestKill(t *testing.T) {
	path := t.TempDir() + "/pulls"
	c := open(t, memory.Options{Path: path}, start)
	for i := range 10 {
		take(t, c, alice, 5, start.Add(time.Duration(i)*time.Second))
		ok(t, c.Save())
	}
	take(t, c, alice, 5, start.Add(11*time.Second))
	// No Close: this is the end of it.
	c = open(t, memory.Options{Path: path}, start.Add(12*time.Second))
	if d := take(t, c, alice, 0, start.Add(12*time.Second)); d.Used != 50 {
		t.Errorf("%d used, want 50", d.Used)
	}
}

// TestCut cuts the file at every byte, and spoils every byte: what stands before
// is found, and what is written afterwards is found the next time.
func TestCut(t *testing.T) {
	path := t.TempDir() + "/pulls"
	c := open(t, memory.Options{Path: path}, start)
	var ends []int64
	for i := range 4 {
		take(t, c, alice, 1, start.Add(time.Duration(i)*time.Hour))
		ok(t, c.Save())
		ends = append(ends, fileSize(t, path))
	}
	ok(t, c.Close())
	whole, err := os.ReadFile(path)
	ok(t, err)
	now := start.Add(4 * time.Hour)
	for at := range whole {
		for _, damage := range []func([]byte) []byte{
			func(b []byte) []byte { return b[:at] },
			func(b []byte) []byte { b[at] ^= 0x55; return b },
		} {
			ok(t, os.WriteFile(path, damage(bytes.Clone(whole)), 0o600))
			want := int64(0)
			for i, end := range ends {
				if int64(at) >= end {
					want = int64(i + 1)
				}
			}
			for more := range int64(2) {
				c := open(t, memory.Options{Path: path}, now)
				if d := take(t, c, alice, 1, now); d.Used != want+more+1 {
					t.Fatalf("damaged at %d of %d: %d used, want %d", at, len(whole), d.Used, want+more+1)
				}
				ok(t, c.Close())
			}
		}
	}
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	ok(t, err)
	return info.Size()
}

// TestFileStaysSmall writes the file anew before it is out of proportion.
func TestFileStaysSmall(t *testing.T) {
	path := t.TempDir() + "/pulls"
	c := open(t, memory.Options{Path: path}, start)
	now := start
	for range 3000 {
		now = now.Add(time.Second)
		for i := range 20 {
			take(t, c, address(i), 1, now)
		}
		ok(t, c.Save())
	}
	if got := fileSize(t, path); got > 2<<20 {
		t.Errorf("%d bytes for 20 keys", got)
	}
	if _, err := os.Stat(path + ".new"); err == nil {
		t.Error("a file is left over")
	}
	c = open(t, memory.Options{Path: path}, now)
	if d := take(t, c, address(7), 0, now); d.Used != limit.Pulls {
		t.Errorf("%d used, want %d", d.Used, limit.Pulls)
	}
}

// TestSaveFails puts a directory in the way of the new file: nothing is lost
// once it is gone.
func TestSaveFails(t *testing.T) {
	path := t.TempDir() + "/pulls"
	ok(t, os.WriteFile(path, []byte("something else"), 0o600)) // so it is to be written anew
	ok(t, os.Mkdir(path+".new", 0o700))
	c := open(t, memory.Options{Path: path}, start)
	take(t, c, alice, 2, start)
	for range 2 {
		if c.Save() == nil {
			t.Fatal("saved into a directory")
		}
	}
	take(t, c, alice, 1, start)
	ok(t, os.Remove(path+".new"))
	ok(t, c.Save())
	c = open(t, memory.Options{Path: path}, start)
	if d := take(t, c, alice, 0, start); d.Used != 3 {
		t.Errorf("%d used, want 3", d.Used)
	}
	ok(t, c.Close())
}

// TestUnreadable refuses a place where nothing can be kept.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	ok(t, os.WriteFile(dir+"/file", nil, 0o600))
	for _, path := range []string{dir, dir + "/file/pulls"} {
		if _, err := memory.New(memory.Options{Path: path}, start); err == nil {
			t.Errorf("%s was opened", path)
		}
	}
}

// FuzzFile reads anything as the file.
func FuzzFile(f *testing.F) {
	path := f.TempDir() + "/seed"
	c := open(f, memory.Options{Path: path}, start)
	take(f, c, alice, 3, start)
	ok(f, c.Save())
	take(f, c, address(1), 3, start)
	ok(f, c.Close())
	seed, err := os.ReadFile(path)
	ok(f, err)
	f.Add(seed)
	f.Add([]byte("berth pulls 1\n\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("berth pulls 1\n\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := t.TempDir() + "/pulls"
		ok(t, os.WriteFile(path, b, 0o600))
		c := open(t, memory.Options{Path: path}, start)
		d := take(t, c, alice, 1, start)
		ok(t, c.Close())
		again := take(t, open(t, memory.Options{Path: path}, start), alice, 0, start)
		if again.Used != d.Used {
			t.Errorf("%d used, and after a restart %d", d.Used, again.Used)
		}
	})
}
