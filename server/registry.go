package server

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/berth-registry/berth/audit"
	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/registry"
	"github.com/berth-registry/berth/storage"
)

// Registry is what the edge needs of a registry, local or mirrored. Methods
// fail with *oci.Error where the client is to be told; registry.Registry says
// with which.
type Registry interface {
	Reader
	Writer
	Deleter
	Lister
}

// Reader is the role of pulling.
type Reader interface {
	Manifest(ctx context.Context, repo string, ref oci.Reference, withBytes bool) (registry.Manifest, error)
	Blob(ctx context.Context, repo string, d oci.Digest) (registry.Blob, error)
	Open(ctx context.Context, b registry.Blob) (storage.Blob, error)
}

// Writer is the role of pushing.
type Writer interface {
	PushManifest(ctx context.Context, p registry.Push) (*oci.Manifest, error)
	PushBlob(ctx context.Context, repo string, d oci.Digest, size int64, body io.Reader) (registry.Blob, error)
	Mount(ctx context.Context, repo, from string, d oci.Digest, allowed func(repo string) bool) (registry.Blob, error)
	StartUpload(ctx context.Context, repo, principal string, a oci.Algorithm) (registry.Session, error)
	Upload(ctx context.Context, id registry.SessionID) (registry.Session, error)
	AppendUpload(ctx context.Context, id registry.SessionID, c registry.Chunk) (registry.Session, error)
	FinishUpload(ctx context.Context, id registry.SessionID, c registry.Chunk, d oci.Digest) (registry.Blob, registry.Session, error)
	CancelUpload(ctx context.Context, id registry.SessionID) error
}

// Deleter is the role of deleting.
type Deleter interface {
	DeleteManifest(ctx context.Context, repo string, ref oci.Reference) error
	DeleteBlob(ctx context.Context, repo string, d oci.Digest) error
}

// Lister is the role of listing.
type Lister interface {
	Tags(ctx context.Context, repo, after string) (iter.Seq2[string, error], error)
	Referrers(ctx context.Context, repo string, d, after oci.Digest) iter.Seq2[oci.Descriptor, error]
	Repositories(ctx context.Context, after string) iter.Seq2[string, error]
}

// Issuer signs tokens: what a principal may do, for a short time.
type Issuer interface {
	Issue(p auth.Principal, access []auth.Access, now time.Time) (token string, expiresIn time.Duration, err error)
}

// Refresher makes refresh tokens, which stand for a password at the token
// endpoint, and redeems them.
type Refresher interface {
	// Make returns "" for a principal that gets none.
	Make(ctx context.Context, p auth.Principal, now time.Time) (string, error)
	// Redeem fails with auth.ErrBadCredentials if the token is not good.
	Redeem(ctx context.Context, token string, now time.Time) (auth.Principal, error)
}

// Accounts checks names and secrets. auth.ErrBadCredentials if the pair is
// wrong.
type Accounts interface {
	Login(ctx context.Context, c auth.Credentials, now time.Time) (auth.Principal, error)
}

// Logins takes note of the logins that Accounts do not see: by one of audit's
// credentials, of p, whose client is set also where err says why it is nobody.
type Logins interface {
	Note(ctx context.Context, p auth.Principal, credential string, err error, now time.Time)
}

var _ Logins = (*audit.Logins)(nil)
