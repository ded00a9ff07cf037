package storage

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"time"

	"github.com/berth-registry/berth/oci"
)

// Key names stored bytes. The store chooses it at Commit; callers keep it and
// hand it back, and never take it apart.
type Key string

// State is what a store needs to resume an upload: opaque, at most a few
// KiB, kept by the caller. A State is good until a later one has been resumed.
type State []byte

// Info describes one stored object.
type Info struct {
	Key     Key
	Size    int64 // bytes
	ModTime time.Time
}

// Hint says what is known of an upload before its first byte. Zero values
// mean unknown; but for Copy, a wrong hint costs time, never correctness.
type Hint struct {
	Algorithm oci.Algorithm // of the digest that Commit will be asked for; empty: sha256
	Digest    oci.Digest
	Size      int64 // bytes, 0 = unknown
	// Copy says that the bytes are kept elsewhere too. Commit may then return
	// before their name is durable: a power cut takes all of them or nothing.
	Copy bool
}

// Errors of the contract. A miss is fs.ErrNotExist.
var (
	// ErrDigestMismatch is Commit's answer when the bytes are not the ones
	// asked for. Nothing was kept.
	ErrDigestMismatch = errors.New("content does not match the digest")
	// ErrNoSpace is told apart from other failures because an operator can do
	// something about it.
	ErrNoSpace = errors.New("no space left in storage")
	// ErrUnavailable says the same of a place that is read-only, is not there
	// any more, or takes no writes for another reason: no fault of the request,
	// which may be sent again later. It is never a miss, fs.ErrNotExist.
	ErrUnavailable = errors.New("unavailable")
)

// Store keeps immutable bytes under keys that it chooses. It knows no
// repositories and no owners. All methods may be called concurrently.
type Store interface {
	// Begin starts an upload. It may defer all I/O to the first Write.
	Begin(ctx context.Context, hint Hint) (Upload, error)

	// Resume continues an upload where the Suspend that returned state left
	// it, in this process or another; bytes written later are dropped. An
	// Upload that is still in use elsewhere in this process fails from then on.
	// fs.ErrNotExist: the upload is gone (cancelled, committed or cleaned up);
	// one of no bytes may come back empty instead.
	Resume(ctx context.Context, state State) (Upload, error)

	// Open opens stored bytes for reading. fs.ErrNotExist if absent.
	Open(ctx context.Context, key Key) (Blob, error)

	// Stat returns the size in bytes. fs.ErrNotExist if absent.
	Stat(ctx context.Context, key Key) (size int64, err error)

	// Delete removes stored bytes durably. Deleting the absent is nil.
	// Blobs that are open stay readable until they are closed.
	Delete(ctx context.Context, key Key) error

	// Walk visits all stored bytes in no particular order. Unfinished
	// uploads are not part of it. What is committed or deleted meanwhile may
	// or may not be seen.
	Walk(ctx context.Context) iter.Seq2[Info, error]

	// Check reports whether the store can take writes right now: for
	// readiness, so it is cheap.
	Check(ctx context.Context) error
}

// Upload is one blob on its way in. It is used by one goroutine at a time and
// must end in exactly one of Suspend, Commit and Cancel; Cancel after another
// end does nothing, so it can be deferred.
type Upload interface {
	// Write appends. After an error the upload can only be cancelled or
	// suspended; Size tells what was taken.
	io.Writer

	// Size is the number of bytes taken so far, over all requests.
	Size() int64

	// Suspend makes all that was written durable and returns what Resume
	// needs: after a power cut that finds all of it or, where sessions do not
	// outlive one either, fs.ErrNotExist, but never a part. The Upload is
	// over. It does not heed the end of ctx: it is how an
	// interrupted request keeps what it was sent. Nor does Cancel.
	Suspend(ctx context.Context) (State, error)

	// Commit verifies the bytes against d and publishes them: when it returns
	// nil they survive a power cut, and a reader sees all of them or none.
	// Committing a digest that is stored already is harmless. On
	// ErrDigestMismatch and every other error nothing was published; but for
	// ErrDigestMismatch the last State stays good.
	Commit(ctx context.Context, d oci.Digest) (Key, error)

	// Cancel drops the upload and its bytes.
	Cancel(ctx context.Context) error
}

// Blob is open stored bytes. Seeking is lazy: nothing is fetched before the
// first Read. A store on local files returns a Blob that is an *os.File
// underneath (File), so that serving it can use sendfile.
type Blob interface {
	io.ReadSeekCloser
	Size() int64
}

// Filer is an optional capability of a Blob: it is a local file underneath,
// which the kernel can send by itself. The file is the Blob's own.
type Filer interface{ File() *os.File }

// Redirecter is an optional capability of a Store: a URL where the client can
// fetch (or HEAD) the bytes itself, valid for a limited time.
type Redirecter interface {
	URL(ctx context.Context, key Key, method string) (string, error)
}

// Sweeper is an optional capability of a Store: it removes what uploads left
// behind that no live State belongs to and that was last written before a
// time. A State in live that cannot be read ends it before anything is removed.
type Sweeper interface {
	Sweep(ctx context.Context, live []State, before time.Time) (removed int, err error)
}
