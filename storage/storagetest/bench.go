package storagetest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sync/atomic"
	"testing"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// Bench measures the store, with allocations.
func Bench(b *testing.B, open Open) {
	sizes := []struct {
		name string
		n    int
	}{{"4KiB", 4 << 10}, {"1MiB", 1 << 20}, {"64MiB", 64 << 20}}
	for _, size := range sizes {
		b.Run("Commit/"+size.name, func(b *testing.B) { benchCommit(b, open, size.n) })
	}
	b.Run("CommitParallel/4KiB", func(b *testing.B) { benchParallel(b, open, 4<<10) })
	b.Run("CommitPresent/4KiB", func(b *testing.B) { benchPresent(b, open) })
	b.Run("Chunk/4KiB", func(b *testing.B) { benchChunk(b, open) })
	b.Run("OpenRead/4KiB", func(b *testing.B) { benchOpen(b, open) })
	b.Run("Stat", func(b *testing.B) { benchStat(b, open) })
}

func must(b testing.TB, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// put is a push in one request. The body hides all but Read, as that of a
// request does.
func put(b testing.TB, st storage.Store, body []byte, d oci.Digest) storage.Key {
	u, err := st.Begin(b.Context(), storage.Hint{Digest: d, Size: int64(len(body))})
	must(b, err)
	_, err = io.Copy(u, struct{ io.Reader }{bytes.NewReader(body)})
	must(b, err)
	key, err := u.Commit(b.Context(), d)
	must(b, err)
	return key
}

func benchCommit(b *testing.B, open Open, size int) {
	st := open(b)()
	body := content(size, 1)
	d := digestOf(body)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		key := put(b, st, body, d)
		b.StopTimer()
		must(b, st.Delete(b.Context(), key))
		b.StartTimer()
	}
}

// benchParallel stores another blob each time, eight at a time for each
// processor.
func benchParallel(b *testing.B, open Open, size int) {
	st := open(b)()
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.SetParallelism(8)
	var serial atomic.Uint64
	b.RunParallel(func(pb *testing.PB) {
		body := content(size, 2)
		for pb.Next() {
			binary.BigEndian.PutUint64(body, serial.Add(1))
			put(b, st, body, digestOf(body))
		}
	})
}

func benchPresent(b *testing.B, open Open) {
	st := open(b)()
	body := content(4<<10, 3)
	d := digestOf(body)
	put(b, st, body, d)
	b.ReportAllocs()
	for b.Loop() {
		put(b, st, body, d)
	}
}

// benchChunk is one request of a chunked upload.
func benchChunk(b *testing.B, open Open) {
	st := open(b)()
	chunk := content(4<<10, 4)
	u, err := st.Begin(b.Context(), storage.Hint{})
	must(b, err)
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for b.Loop() {
		_, err := u.Write(chunk)
		must(b, err)
		state, err := u.Suspend(b.Context())
		must(b, err)
		u, err = st.Resume(b.Context(), state)
		must(b, err)
	}
	must(b, u.Cancel(b.Context()))
}

func benchOpen(b *testing.B, open Open) {
	st := open(b)()
	body := content(4<<10, 5)
	key := put(b, st, body, digestOf(body))
	buf := make([]byte, len(body))
	b.ReportAllocs()
	for b.Loop() {
		blob, err := st.Open(b.Context(), key)
		must(b, err)
		_, err = io.ReadFull(blob, buf)
		must(b, err)
		must(b, blob.Close())
	}
}

func benchStat(b *testing.B, open Open) {
	st := open(b)()
	body := content(100, 6)
	key := put(b, st, body, digestOf(body))
	b.ReportAllocs()
	for b.Loop() {
		size, err := st.Stat(b.Context(), key)
		must(b, err)
		if size != int64(len(body)) {
			b.Fatal(fmt.Errorf("size %d", size))
		}
	}
}
