package storagetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// The suite must fit a store that keeps no files and, as S3 does, makes a key
// per upload. This is the smallest such store.
func TestSuite(t *testing.T)      { Run(t, openMemory) }
func BenchmarkSuite(b *testing.B) { Bench(b, openMemory) }

func openMemory(testing.TB) func() storage.Store {
	m := &memory{parts: make(map[string][]byte), blobs: make(map[storage.Key][]byte)}
	return func() storage.Store { return m }
}

type memory struct {
	mu     sync.Mutex
	serial int
	parts  map[string][]byte // by upload: what is acknowledged
	blobs  map[storage.Key][]byte
}

type memoryState struct {
	ID   string
	Size int
}

type memoryUpload struct {
	m     *memory
	id    string
	body  []byte
	ended bool
}

func (m *memory) next(what string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.serial++
	return fmt.Sprintf("berth/%s/%d", what, m.serial)
}

func (m *memory) Begin(ctx context.Context, _ storage.Hint) (storage.Upload, error) {
	return &memoryUpload{m: m, id: m.next("uploads")}, ctx.Err()
}

func (m *memory) Resume(ctx context.Context, state storage.State) (storage.Upload, error) {
	var v memoryState
	if err := json.Unmarshal(state, &v); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	body, found := m.parts[v.ID]
	if !found || len(body) < v.Size {
		return nil, fs.ErrNotExist
	}
	return &memoryUpload{m: m, id: v.ID, body: bytes.Clone(body[:v.Size])}, ctx.Err()
}

func (u *memoryUpload) Size() int64 { return int64(len(u.body)) }

func (u *memoryUpload) Write(p []byte) (int, error) {
	if u.ended {
		return 0, fs.ErrClosed
	}
	u.body = append(u.body, p...)
	return len(p), nil
}

// end makes parts of the upload hold body, or nothing if body is nil.
func (u *memoryUpload) end(body []byte) error {
	if u.ended {
		return fs.ErrClosed
	}
	u.ended = true
	u.m.mu.Lock()
	defer u.m.mu.Unlock()
	delete(u.m.parts, u.id)
	if body != nil {
		u.m.parts[u.id] = body
	}
	return nil
}

func (u *memoryUpload) Suspend(context.Context) (storage.State, error) {
	if err := u.end(append([]byte{}, u.body...)); err != nil {
		return nil, err
	}
	return json.Marshal(memoryState{u.id, len(u.body)})
}

func (u *memoryUpload) Commit(ctx context.Context, d oci.Digest) (storage.Key, error) {
	if err := u.end(nil); err != nil {
		return "", err
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if oci.FromBytes(d.Algorithm(), u.body) != d {
		return "", storage.ErrDigestMismatch
	}
	key := storage.Key(u.m.next("blobs"))
	u.m.mu.Lock()
	defer u.m.mu.Unlock()
	u.m.blobs[key] = u.body
	return key, nil
}

func (u *memoryUpload) Cancel(context.Context) error {
	_ = u.end(nil)
	return nil
}

type memoryBlob struct{ *bytes.Reader }

func (memoryBlob) Close() error { return nil }

func (m *memory) Open(ctx context.Context, key storage.Key) (storage.Blob, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	body, found := m.blobs[key]
	if !found {
		return nil, fs.ErrNotExist
	}
	return memoryBlob{bytes.NewReader(body)}, ctx.Err()
}

func (m *memory) Stat(ctx context.Context, key storage.Key) (int64, error) {
	b, err := m.Open(ctx, key)
	if err != nil {
		return 0, err
	}
	return b.Seek(0, io.SeekEnd)
}

func (m *memory) Delete(ctx context.Context, key storage.Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() == nil {
		delete(m.blobs, key)
	}
	return ctx.Err()
}

func (m *memory) Check(ctx context.Context) error { return ctx.Err() }

func (m *memory) Walk(ctx context.Context) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		m.mu.Lock()
		blobs := maps.Clone(m.blobs)
		m.mu.Unlock()
		if err := ctx.Err(); err != nil {
			yield(storage.Info{}, err)
			return
		}
		for key, body := range blobs {
			info := storage.Info{Key: key, Size: int64(len(body)), ModTime: time.Now()}
			if ctx.Err() != nil || !yield(info, nil) {
				break
			}
		}
		if err := ctx.Err(); err != nil {
			yield(storage.Info{}, err)
		}
	}
}
