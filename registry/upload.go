package registry

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// Session is an open upload session.
type Session = metadata.Session

// SessionID names a session as a request does: it belongs to the repository
// and the principal that opened it, and to nobody else (CVE-2026-32589).
type SessionID struct {
	Repo      string
	Principal string
	ID        string
}

// Chunk is the body of one request of an upload. A blob arrives in any
// number of them.
type Chunk struct {
	Body   io.Reader
	Start  int64 // where the client says it begins, -1 if it does not say
	Length int64 // bytes the client says it has, -1 if it does not say
}

// StartUpload opens an upload session. TOOMANYREQUESTS if the principal has
// too many open. Storage is not touched before the first byte.
func (r *Registry) StartUpload(ctx context.Context, repo, principal string, a oci.Algorithm) (Session, error) {
	open, err := r.meta.CountSessions(ctx, principal)
	if err != nil {
		return Session{}, err
	}
	if open >= r.opts.MaxSessions {
		return Session{}, oci.ErrTooManyRequests.With(fmt.Sprintf("%d upload sessions are open", open))
	}
	now := r.opts.Now()
	s := Session{ID: rand.Text(), Repo: repo, Principal: principal, Algorithm: a, Started: now, Updated: now, Version: 1}
	if err := r.meta.PutSession(ctx, s); err != nil {
		return Session{}, fmt.Errorf("open upload session: %w", err)
	}
	return s, nil
}

// Upload returns the state of a session. BLOB_UPLOAD_UNKNOWN if there is none
// of that name for that repository and principal.
func (r *Registry) Upload(ctx context.Context, id SessionID) (Session, error) {
	s, err := r.meta.Session(ctx, id.ID)
	if err != nil {
		return Session{}, missing(err, oci.ErrUploadUnknown)
	}
	if s.Repo != id.Repo || s.Principal != id.Principal {
		return Session{}, oci.ErrUploadUnknown
	}
	return s, nil
}

// AppendUpload takes a chunk. What arrived stays even if the chunk breaks
// off, unless it is not as long as it said. Errors: 416 if the chunk does not
// begin where the last one ended (the session returned says where that was),
// 409 while another request writes.
func (r *Registry) AppendUpload(ctx context.Context, id SessionID, c Chunk) (Session, error) {
	s, up, release, err := r.resume(ctx, id, c)
	if err != nil {
		return s, err
	}
	defer release()
	defer abandon(ctx, up)
	if err := r.receive(up, c); err != nil {
		return s, r.brokenOff(ctx, s, up, err)
	}
	return r.suspend(context.WithoutCancel(ctx), s, up)
}

// FinishUpload takes the last chunk, which may be empty, and publishes the
// blob. DIGEST_INVALID if the bytes are not those of d: then nothing is kept.
func (r *Registry) FinishUpload(ctx context.Context, id SessionID, c Chunk, d oci.Digest) (Blob, Session, error) {
	s, up, release, err := r.resume(ctx, id, c)
	if err != nil {
		return Blob{}, s, err
	}
	defer release()
	defer abandon(ctx, up)
	if err := r.receive(up, c); err != nil {
		return Blob{}, s, r.brokenOff(ctx, s, up, err)
	}
	b, err := r.publish(ctx, s.Repo, up, d, s.ID)
	if errors.Is(err, oci.ErrDigestInvalid) {
		return Blob{}, s, errors.Join(err, r.drop(ctx, s, up))
	}
	return b, s, err
}

// PushBlob takes a whole blob without a session, the single POST of the
// specification (end-4b).
func (r *Registry) PushBlob(ctx context.Context, repo string, d oci.Digest, size int64, body io.Reader) (Blob, error) {
	up, err := r.store.Begin(ctx, storage.Hint{Algorithm: d.Algorithm(), Digest: d, Size: size})
	if err != nil {
		return Blob{}, fmt.Errorf("begin upload: %w", err)
	}
	defer abandon(ctx, up)
	if err := r.receive(up, Chunk{Body: body, Length: -1}); err != nil {
		return Blob{}, err
	}
	return r.publish(ctx, repo, up, d, "")
}

// CancelUpload ends a session and drops its bytes.
func (r *Registry) CancelUpload(ctx context.Context, id SessionID) error {
	s, up, release, err := r.resume(ctx, id, Chunk{Start: -1, Length: -1})
	if err != nil {
		return err
	}
	defer release()
	return r.drop(ctx, s, up)
}

// publish makes the bytes durable and then visible.
func (r *Registry) publish(ctx context.Context, repo string, up storage.Upload, d oci.Digest, session string) (Blob, error) {
	ctx = context.WithoutCancel(ctx) // all is here: a client that gives up now finds it when it asks again
	size := up.Size()
	key, err := up.Commit(ctx, d)
	if errors.Is(err, storage.ErrDigestMismatch) {
		return Blob{}, oci.ErrDigestInvalid
	}
	if err != nil {
		return Blob{}, fmt.Errorf("commit %s: %w", d, err)
	}
	b := Blob{Digest: d, Key: key, Size: size}
	if err := r.meta.LinkBlob(ctx, repo, b, session); err != nil {
		return Blob{}, fmt.Errorf("link %s: %w", d, err)
	}
	return b, nil
}

// abandon drops an upload that has not ended otherwise. What it leaves behind
// if it fails, Expire sweeps up.
func abandon(ctx context.Context, up storage.Upload) { _ = up.Cancel(context.WithoutCancel(ctx)) }
