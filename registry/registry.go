package registry

import (
	"errors"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// Metadata is what the registry needs of a metadata store.
type Metadata interface {
	metadata.Blobs
	metadata.Manifests
	metadata.Lister
	metadata.Sessions
}

// Options are the limits and rules of a Registry.
type Options struct {
	MaxManifest int64                  // bytes
	MaxBlob     int64                  // bytes, 0 = no limit
	MaxSessions int                    // open upload sessions per principal
	SessionIdle time.Duration          // a session untouched for so long is dropped
	Sparse      func(repo string) bool // may manifests of repo reference what is absent?
	Now         func() time.Time
	Log         *slog.Logger
}

// Registry is the local registry. It is safe for concurrent use.
type Registry struct {
	meta   Metadata
	store  storage.Store
	opts   Options
	busy   sessionLocks
	behind sync.WaitGroup
	slots  chan struct{}
}

// New returns a registry over the two stores.
func New(meta Metadata, store storage.Store, opts Options) *Registry {
	return &Registry{meta: meta, store: store, opts: opts, slots: make(chan struct{}, maxBehind)}
}

// Close waits for what is written behind answers.
func (r *Registry) Close() { r.behind.Wait() }

// missing turns the miss of a store into what the client is told.
func missing(err error, to *oci.Error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return to
	}
	return err
}
