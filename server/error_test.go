package server_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/registry"
	"github.com/berth-registry/berth/server"
	"github.com/berth-registry/berth/storage"
)

// distributionCodes are the codes of distribution v3.1 and the status of each
// (registry/api/errcode/register.go), by hand: the module is no dependency.
var distributionCodes = map[oci.Code]int{
	"UNKNOWN": 500, "UNSUPPORTED": 405, "UNAUTHORIZED": 401, "DENIED": 403, "UNAVAILABLE": 503, "TOOMANYREQUESTS": 429,
	"DIGEST_INVALID": 400, "SIZE_INVALID": 400, "NAME_INVALID": 400, "NAME_UNKNOWN": 404, "MANIFEST_UNKNOWN": 404,
	"MANIFEST_INVALID": 400, "MANIFEST_BLOB_UNKNOWN": 400, "BLOB_UNKNOWN": 404, "BLOB_UPLOAD_UNKNOWN": 404, "BLOB_UPLOAD_INVALID": 404,
}

// TestErrorUnauthorized: the reason of a 401 stands in the sentence. Docker and
// podman print that and nothing else of the body.
func TestErrorUnauthorized(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	pull := s.token("alice", "repository:alice/app:pull")
	says := func(do, as, reason string) row {
		body := `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required: ` + reason + `"}]}` + "\n"
		return row{do: do, as: as, status: 401, code: "UNAUTHORIZED", text: body}
	}
	s.table([]row{
		says("GET /v2/", "-", "no credentials"),
		says("GET /v2/", basicOf("alice", "wrong"), "wrong user name or password"),
		says("GET /v2/", basicOf("nobody", "wrong"), "wrong user name or password"),
		says("GET /token", basicOf("alice", "wrong"), "wrong user name or password"),
		says("GET /token", bearer(pull), "invalid token: a token cannot be exchanged for another"),
		says("POST /v2/alice/app/blobs/uploads/", bearer(pull), "insufficient scope: repository:alice/app:push"),
		says("GET /v2/", bearer(unsigned(pull)), "invalid token: wrong signature or algorithm"),
	})
}

// TestErrorTable holds oci.Errors against the specification's table and
// against what clients have seen of distribution for ten years.
func TestErrorTable(t *testing.T) {
	elsewhere := map[string]string{ // where the specification says otherwise than distribution, or a case is our own
		"MANIFEST_BLOB_UNKNOWN 404": "end-7a",
		"BLOB_UPLOAD_INVALID 400":   "code-2 is no miss",
		"BLOB_UPLOAD_INVALID 409":   "two writers",
		"BLOB_UPLOAD_INVALID 416":   "end-5",
		"MANIFEST_INVALID 413":      "too large",
		"SIZE_INVALID 413":          "too large",
		"UNSUPPORTED 400":           "malformed request",
		"UNSUPPORTED 404":           "no such endpoint",
		"UNAVAILABLE 507":           "disk full",
	}
	seen := map[string]bool{}
	for _, e := range oci.Errors() {
		name := fmt.Sprint(e.Code, " ", e.Status)
		switch server := e.Code == "UNKNOWN" || e.Code == "UNAVAILABLE"; {
		case server && e.Status < 500:
			t.Errorf("%s: the client did not do it", name)
		case !server && (!specCodes[string(e.Code)] || e.Status < 400 || e.Status >= 500):
			t.Errorf("%s is not in the specification's table", name)
		}
		if status, ok := distributionCodes[e.Code]; !ok || status != e.Status && elsewhere[name] == "" {
			t.Errorf("%s: distribution has %d", name, status)
		}
		if e.Message == "" || e.Detail != nil || http.StatusText(e.Status) == "" {
			t.Errorf("%s: message %q, detail %v", name, e.Message, e.Detail)
		}
		seen[string(e.Code)] = true
	}
	for code := range specCodes {
		if !seen[code] {
			t.Errorf("no error has the code %s", code)
		}
	}
}

// TestErrorPaths answers what is no endpoint, in the API's own words.
func TestErrorPaths(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	s.table([]row{
		{do: "GET /v2/alice/app", status: 404, code: "UNSUPPORTED"},
		{do: "GET /v2/alice/app/tags/other", status: 404, code: "UNSUPPORTED"},
		{do: "GET /v2x/", status: 404, code: "UNSUPPORTED"},
		{do: "GET /", status: 404, code: "UNSUPPORTED"},
		{do: "GET /v1/repositories/x", status: 404, code: "UNSUPPORTED"},
		{do: "GET /admin", status: 404, code: "UNSUPPORTED"},
		{do: "GET /api/v1/users", as: "root", status: 404, code: "UNSUPPORTED"}, // that is for the admin socket
		{do: "POST /v2/", status: 405, code: "UNSUPPORTED", gives: header{"Allow": "GET, HEAD"}},
		{do: "POST /v2/alice/app/manifests/x", status: 405, code: "UNSUPPORTED", gives: header{"Allow": "HEAD, GET, PUT, DELETE"}},
		{do: "PUT /v2/alice/app/blobs/" + digestOf("x"), status: 405, code: "UNSUPPORTED", gives: header{"Allow": "HEAD, GET, DELETE"}},
		{do: "GET /v2/alice/app/blobs/uploads/", status: 405, code: "UNSUPPORTED", gives: header{"Allow": "POST"}},
		{do: "HEAD /v2/alice/app/blobs/uploads/x", status: 405},
		{do: "DELETE /v2/alice/app/tags/list", status: 405, code: "UNSUPPORTED", gives: header{"Allow": "GET, HEAD"}},
		{do: "BREW /v2/", status: 405, code: "UNSUPPORTED"},
		{do: "DELETE /token", status: 405, code: "UNSUPPORTED"},
		{do: "GET /v2/../etc/passwd/tags/list", status: 400, code: "NAME_INVALID"},
		{do: "GET /v2/alice/..%2fbob/tags/list", status: 400, code: "NAME_INVALID"},
		{do: "GET /v2/alice/%2e%2e/bob/tags/list", status: 400, code: "NAME_INVALID"},
		{do: "GET /v2/alice//app/tags/list", status: 400, code: "NAME_INVALID"},
		{do: "GET /v2/alice/App/tags/list", status: 400, code: "NAME_INVALID"},
		{do: "GET /v2/alice%5capp/tags/list", status: 400, code: "NAME_INVALID"},
		{do: "GET /v2/alice/" + strings.Repeat("a", 256-len("alice/")) + "/tags/list", status: 400, code: "NAME_INVALID"},
		{do: "GET /v2/alice/" + strings.Repeat("a", 255-len("alice/")) + "/tags/list", status: 404, code: "NAME_UNKNOWN"},
	})
}

// TestErrorUnreadableBody answers who sends a body that breaks HTTP and stays
// to hear of it.
func TestErrorUnreadableBody(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	s.table([]row{{do: "POST " + at + "uploads/", status: 202}})
	for _, do := range []string{"PATCH {session}", "PUT {session}?digest=" + digestOf("x"), "PUT /v2/alice/app/manifests/x", "POST " + at + "uploads/?digest=" + digestOf("x")} {
		conn := s.dial(do, "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), s.request(row{do: do}))
		s.must(err)
		got := s.read(resp)
		if got.StatusCode != 400 || !resp.Close {
			t.Errorf("%s: %d, close %v", do, got.StatusCode, resp.Close)
		}
		if err := got.wellFormed(); err != nil {
			t.Errorf("%s: %v", do, err)
		}
		s.must(conn.Close())
	}
}

// logged is a log that is written and read at the same time.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// take returns what was written since the last time.
func (l *logged) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.b.Reset()
	return l.b.String()
}

var errSecret = errors.New("open /var/lib/berth/secret: permission denied")

// broken fails where it is told to.
type broken struct {
	registry.Metadata
	storage.Store
	link, manifest, session, write, commit error
}

type brokenMeta struct {
	registry.Metadata
	b *broken
}

func (m brokenMeta) LinkBlob(ctx context.Context, repo string, b metadata.Blob, session string) error {
	return errors.Join(m.b.link, unless(m.b.link, func() error { return m.Metadata.LinkBlob(ctx, repo, b, session) }))
}

func (m brokenMeta) PutManifest(ctx context.Context, repo string, p metadata.PutManifest) error {
	return errors.Join(m.b.manifest, unless(m.b.manifest, func() error { return m.Metadata.PutManifest(ctx, repo, p) }))
}

func (m brokenMeta) PutSession(ctx context.Context, s metadata.Session) error {
	return errors.Join(m.b.session, unless(m.b.session, func() error { return m.Metadata.PutSession(ctx, s) }))
}

func unless(err error, f func() error) error {
	if err != nil {
		return nil
	}
	return f()
}

type brokenStore struct {
	storage.Store
	b *broken
}

type brokenUpload struct {
	storage.Upload
	b *broken
}

func (s brokenStore) Begin(ctx context.Context, hint storage.Hint) (storage.Upload, error) {
	u, err := s.Store.Begin(ctx, hint)
	return brokenUpload{u, s.b}, err
}

func (s brokenStore) Resume(ctx context.Context, state storage.State) (storage.Upload, error) {
	u, err := s.Store.Resume(ctx, state)
	return brokenUpload{u, s.b}, err
}

func (u brokenUpload) Write(p []byte) (int, error) {
	if u.b.write != nil {
		return 0, u.b.write
	}
	return u.Upload.Write(p)
}

func (u brokenUpload) Commit(ctx context.Context, d oci.Digest) (storage.Key, error) {
	if u.b.commit != nil {
		return "", u.b.commit
	}
	return u.Upload.Commit(ctx, d)
}

func (b *broken) heal() { *b = broken{} }

func (b *broken) settings() settings {
	return settings{
		sparse:  []string{"alice/**"},
		meta:    func(m registry.Metadata) registry.Metadata { return brokenMeta{m, b} },
		storage: func(s storage.Store) storage.Store { return brokenStore{s, b} },
	}
}

// TestErrorOurs is what goes wrong here: a 5xx with the OCI body, 507 where
// the disk is full, 503 where it is away, and no word of what went wrong. It
// heals.
func TestErrorOurs(t *testing.T) {
	t.Parallel()
	b := new(broken)
	log := new(logged)
	with := b.settings()
	with.log = slog.New(slog.NewTextHandler(log, nil))
	s := newStack(t, with)
	d := digestOf(tenBytes)
	for _, test := range []struct {
		name     string
		place    *error
		do, body string
	}{
		{"link", &b.link, "POST " + at + "uploads/?digest=" + d, tenBytes},
		{"link of a session", &b.link, "PUT {session}?digest=" + d, tenBytes},
		{"commit", &b.commit, "POST " + at + "uploads/?digest=" + d, tenBytes},
		{"commit of a session", &b.commit, "PUT {session}?digest=" + d, tenBytes},
		{"write", &b.write, "POST " + at + "uploads/?digest=" + d, tenBytes},
		{"write of a session", &b.write, "PATCH {session}", tenBytes},
		{"last write of a session", &b.write, "PUT {session}?digest=" + d, tenBytes},
		{"session", &b.session, "PATCH {session}", tenBytes},
		{"new session", &b.session, "POST " + at + "uploads/", tenBytes},
		{"manifest", &b.manifest, "PUT /v2/alice/app/manifests/x", image("config")},
	} {
		for _, why := range []struct {
			err    error
			status int
			code   string
		}{
			{errSecret, 500, "UNKNOWN"},
			{fmt.Errorf("%w: %w", storage.ErrNoSpace, errSecret), 507, "UNAVAILABLE"},
			{fmt.Errorf("%w: %w", storage.ErrUnavailable, errSecret), 503, "UNAVAILABLE"},
		} {
			s.table([]row{{do: "POST " + at + "uploads/", status: 202}})
			log.take()
			*test.place = why.err
			got := s.send(row{do: test.do, body: test.body})
			b.heal()
			if (got.Header.Get("Retry-After") != "") != (why.status == 503) {
				t.Errorf("%s: %d, Retry-After %q", test.name, got.StatusCode, got.Header.Get("Retry-After"))
			}
			if got.StatusCode != why.status || got.code() != why.code || strings.Contains(got.body, "berth") {
				t.Errorf("%s: %d %s, want %d %s", test.name, got.StatusCode, got.body, why.status, why.code)
			}
			if text := log.take(); !strings.Contains(text, "level=ERROR") || !strings.Contains(text, errSecret.Error()) {
				t.Errorf("%s: the log does not say why: %s", test.name, text)
			}
			s.table([]row{
				{do: "GET " + at + d, status: 404, code: "BLOB_UNKNOWN"},
				{do: "GET /v2/alice/app/manifests/x", status: 404, code: "MANIFEST_UNKNOWN"},
			})
		}
	}
	s.table([]row{{do: "POST " + at + "uploads/?digest=" + d, body: tenBytes, status: 201}, {do: "GET " + at + d, status: 200, text: tenBytes}})
}

// TestErrorDamagedBlob never serves a file that is not as long as it was.
func TestErrorDamagedBlob(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	short, gone := s.blob("alice/app", tenBytes), s.blob("alice/app", "gone")
	s.must(os.Truncate(s.file(short), 5))
	s.must(os.Remove(s.file(gone)))
	for _, d := range []string{short, gone} {
		got := s.send(row{do: "GET " + at + d, with: header{"If-None-Match": `"x"`}})
		if err := got.wellFormed(); got.StatusCode != 500 || got.code() != "UNKNOWN" || err != nil || strings.Contains(got.body, s.dir) {
			t.Errorf("%d %s, %v", got.StatusCode, got.body, err)
		}
	}
	s.blob("alice/app", tenBytes) // pushing it again heals it
	s.table([]row{{do: "GET " + at + short, status: 200, text: tenBytes}})
}

type authFunc func(*http.Request) (auth.Principal, error)

func (f authFunc) Authenticate(r *http.Request) (auth.Principal, error) { return f(r) }

// TestErrorContained turns a panic and a failing account store into a 500
// that tells nothing.
func TestErrorContained(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{auth: func(server.Authenticator) server.Authenticator {
		return authFunc(func(r *http.Request) (auth.Principal, error) {
			if r.Method == http.MethodDelete {
				panic("secret")
			}
			return auth.Principal{}, errSecret
		})
	}})
	for _, do := range []string{"GET /v2/", "GET /v2/alice/app/tags/list", "DELETE /v2/alice/app/manifests/x", "GET /token", "GET /v1/search?q=x"} {
		got := s.send(row{do: do})
		if err := ociError(got.StatusCode, got.Header, got.body, "GET"); got.StatusCode != 500 || got.code() != "UNKNOWN" || err != nil || strings.Contains(got.body, "secret") {
			t.Errorf("%s: %d %s, %v", do, got.StatusCode, got.body, err)
		}
	}
}
