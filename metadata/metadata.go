package metadata

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// Store is all roles together. Callers ask for the role they need. A mutation
// that the disk has no room for fails with storage.ErrNoSpace, one that the
// store cannot make at the moment with storage.ErrUnavailable: it is read-only,
// or gone, or takes no writes until it is opened again. Both change nothing;
// reads go on where they can. After Close every method fails with fs.ErrClosed,
// but for a second Close.
type Store interface {
	Blobs
	Manifests
	Lister
	Sessions
	Users
	Robots
	Tokens
	PullLimits
	Usages

	// Check reports whether the store answers and can take writes: for
	// readiness, so it is cheap.
	Check(ctx context.Context) error
	Close() error
}

// ErrConflict means that somebody else changed the row first.
var ErrConflict = errors.New("changed by another writer")

// ErrExists means that a row of that name is there already.
var ErrExists = errors.New("exists already")

// ErrTooMany means that a row more would be more than the caller allows.
var ErrTooMany = errors.New("too many")

// InUseError refuses a deletion: Parent, a manifest of the same repository,
// still needs what was to be deleted.
type InUseError struct{ Parent oci.Digest }

func (e *InUseError) Error() string { return fmt.Sprintf("still needed by %s", e.Parent) }

// MissingError refuses a manifest that references what is not in its
// repository.
type MissingError struct{ Digests []oci.Digest }

func (e *MissingError) Error() string { return fmt.Sprintf("missing: %v", e.Digests) }

// Blob says where the bytes of a digest are and how many.
type Blob struct {
	Digest oci.Digest
	Key    storage.Key
	Size   int64 // bytes
	Pull   Pull  // set by Blobs.Blob
}

// Pull is what asking for content means to who counts pulls.
type Pull uint8

const (
	// NoManifest is a blob and nothing else.
	NoManifest Pull = iota
	// FreeManifest is one that nobody pulls for its own sake: an index, or what
	// describes another manifest and holds no file system itself. That is one
	// without a tar among its layers that has a subject, or that a stored index
	// of the repository lists as an attestation, or that has a tag of cosign's.
	FreeManifest
	// CountedManifest is any other: an image, a chart, an artifact.
	CountedManifest
)

// Blobs is the role of blob links.
type Blobs interface {
	// Blob returns the blob if repo has a link to it; fs.ErrNotExist if not,
	// whoever else has one.
	Blob(ctx context.Context, repo string, d oci.Digest) (Blob, error)

	// LinkBlob records a blob that has been committed to storage and links it
	// to repo, creating the repository. A blob known already keeps its first
	// key. If session is not empty, that upload session ends with it, or by its
	// expiry if a crash comes between; one that is gone already is no error.
	LinkBlob(ctx context.Context, repo string, b Blob, session string) error

	// MountBlob links to repo what from has a link to, creating repo.
	// fs.ErrNotExist if from has no link.
	MountBlob(ctx context.Context, repo, from string, d oci.Digest) (Blob, error)

	// Linked visits the repositories that have a link to d, in order of name.
	Linked(ctx context.Context, d oci.Digest) iter.Seq2[string, error]

	// UnlinkBlob removes repo's link. fs.ErrNotExist if there is none,
	// *InUseError while a manifest of repo needs it.
	UnlinkBlob(ctx context.Context, repo string, d oci.Digest) error
}

// Manifest is what is stored of a manifest. Bytes is nil where only the
// header was asked for.
type Manifest struct {
	MediaType string
	Digest    oci.Digest
	Size      int64 // bytes
	Bytes     []byte
	PushedAt  time.Time
	Pull      Pull // FreeManifest or CountedManifest, as things stand when it is read
}

// PutManifest is one manifest on its way in.
type PutManifest struct {
	Manifest *oci.Manifest
	Tags     []string
	// Sparse lets blobs and children be absent. Otherwise every blob in
	// Manifest.Required() must be linked and every child be stored.
	Sparse bool
	Now    time.Time
}

// Manifests is the role of manifests and tags.
type Manifests interface {
	// Manifest returns the manifest that ref names in repo, with its bytes if
	// asked. fs.ErrNotExist if repo has no such tag or manifest. By tag, the
	// digest is the one that the tag was set with.
	Manifest(ctx context.Context, repo string, ref oci.Reference, withBytes bool) (Manifest, error)

	// PutManifest stores a manifest, its edges, its subject and its tags, and
	// creates the repository, all or nothing. *MissingError if it references
	// what is not there.
	PutManifest(ctx context.Context, repo string, p PutManifest) error

	// DeleteManifest removes a manifest with all its tags. fs.ErrNotExist if
	// absent; *InUseError while an index of repo lists it.
	DeleteManifest(ctx context.Context, repo string, d oci.Digest) error

	// DeleteTag removes a tag, nothing else. fs.ErrNotExist if absent.
	DeleteTag(ctx context.Context, repo, tag string) error
}

// Lister is the role of listings. All are in byte order, start strictly after
// a given entry and cost what is consumed of them, not what is stored. The
// consumer may take its time and break off at any moment: no transaction or
// connection is held while it works.
type Lister interface {
	// Repositories visits names greater than after.
	Repositories(ctx context.Context, after string) iter.Seq2[string, error]

	// Exists reports whether a repository exists: something was pushed to it.
	Exists(ctx context.Context, repo string) (bool, error)

	// Tags visits the tags of repo greater than after. A repository that is
	// absent has none.
	Tags(ctx context.Context, repo, after string) iter.Seq2[string, error]

	// Referrers visits the descriptors of the manifests of repo whose subject
	// is d, in order of their digests, greater than after ("" = all).
	Referrers(ctx context.Context, repo string, d, after oci.Digest) iter.Seq2[oci.Descriptor, error]
}

// Session is an open upload session. ID is unguessable, made of letters,
// digits, _ and -, and at most 64 bytes long; another one is fs.ErrNotExist.
type Session struct {
	ID        string
	Repo      string
	Principal string // who opened it; nobody else may touch it
	Algorithm oci.Algorithm
	Size      int64         // bytes taken
	State     storage.State // nil before the first byte
	Started   time.Time
	Updated   time.Time
	Version   int64 // counts changes; PutSession compares it
}

// Sessions is the role of upload sessions. They survive the end of the
// process but, unlike everything else here, need not survive a power cut: a
// client that loses one begins again.
type Sessions interface {
	// Session returns a session. fs.ErrNotExist if absent.
	Session(ctx context.Context, id string) (Session, error)

	// PutSession stores s if s.Version is the stored version plus one (1 for
	// a new session). ErrConflict otherwise.
	PutSession(ctx context.Context, s Session) error

	// DeleteSession ends a session. fs.ErrNotExist if absent.
	DeleteSession(ctx context.Context, id string) error

	// Sessions visits all sessions, in no particular order.
	Sessions(ctx context.Context) iter.Seq2[Session, error]

	// CountSessions counts the open sessions of a principal.
	CountSessions(ctx context.Context, principal string) (int, error)
}
