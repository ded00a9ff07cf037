package server_test

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/berth-registry/berth/audit"
	"github.com/berth-registry/berth/internal/httpx"
	"github.com/berth-registry/berth/server"
)

// trail is an audit.Recorder that keeps all until it is asked.
type trail struct {
	mu      sync.Mutex
	entries []audit.Entry
}

func (t *trail) Record(e audit.Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.entries = append(t.entries, e)
}

// Find finds nothing: what is recorded is for the test.
func (t *trail) Find(audit.Filter, int) []audit.Entry { return nil }

// take returns what was recorded since it was last asked.
func (t *trail) take() []audit.Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	taken := t.entries
	t.entries = nil
	return taken
}

// text takes what was recorded and writes it, see short, separated by "; ".
func (t *trail) text() string {
	var all []string
	for _, e := range t.take() {
		all = append(all, short(e))
	}
	return strings.Join(all, "; ")
}

// audited is a request and the entries that it leaves, separated by "; ".
type audited struct {
	row
	entries string
}

// short writes an entry as "action outcome request status principal credential
// account repository reference digest (detail)", without what is empty.
func short(e audit.Entry) string {
	text := strings.Join([]string{
		string(e.Action), string(e.Outcome), e.Request, fmt.Sprint(e.Status), e.Principal, e.Credential, e.Account, e.Repository, e.Reference, e.Digest,
	}, " ")
	if e.Detail != "" {
		text += " (" + e.Detail + ")"
	}
	return strings.Join(strings.Fields(text), " ")
}

// TestAudit drives every route of the table, and those beside it, and says by
// hand what each leaves in the trail, done and refused. A route that is missing
// here fails the test.
func TestAudit(t *testing.T) {
	t.Parallel()
	p := &provider{who: alice()}
	s := newStack(t, settings{browser: p, tokens: p, api: true})
	config := s.blob("alice/app", "config")
	digest := s.manifest("alice/app", "v1", image("config"))
	s.table([]row{{do: "GET /v2/", as: "bob", status: 200}}) // no news from here on, as alice is none
	table := slices.Concat(s.auditedRefusals(config, digest), s.auditedReads(config, digest), s.auditedChanges(config, digest), s.auditedTokens(), auditedBeside())
	s.trail.take()
	s.audits(table)
	for _, name := range server.RouteNames() {
		if done, refused := covered(t, table, name); !done || !refused {
			t.Errorf("%s: a row where it is done %t, where it is refused %t", name, done, refused)
		}
	}
	s.everyMount(func(mount string) bool {
		return strings.Contains(mount, " /api/") || slices.ContainsFunc(table, func(a audited) bool { return s.mountOf(a.do) == mount }) // see package api
	})
}

// auditedRefusals are requests that are refused: by a token of alice that is too
// narrow, an anonymous one and one that is none, by bob with and without his
// password, and by nobody at all, which is no refusal.
func (s *stack) auditedRefusals(config, digest string) (table []audited) {
	s.Helper()
	narrow, anonymous := bearer(s.token("alice", "repository:alice/else:pull")), bearer(s.token("-", "repository:alice/app:pull"))
	const pull, push, remove = "pull", "push", "delete"
	for _, r := range []struct{ do, missing, request, about string }{
		{"HEAD /v2/alice/app/manifests/v1", pull, "manifest.head", "v1"},
		{"GET /v2/alice/app/manifests/v1", pull, "manifest.get", "v1"},
		{"GET /v2/alice/app/manifests/" + digest, pull, "manifest.get", digest},
		{"PUT /v2/alice/app/manifests/v1", push, "manifest.put", "v1"},
		{"DELETE /v2/alice/app/manifests/v1", remove, "manifest.delete", "v1"},
		{"HEAD /v2/alice/app/blobs/" + config, pull, "blob.head", config},
		{"GET /v2/alice/app/blobs/" + config, pull, "blob.get", config},
		{"DELETE /v2/alice/app/blobs/" + config, remove, "blob.delete", config},
		{"POST /v2/alice/app/blobs/uploads/", push, "upload.start", ""},
		{"POST /v2/alice/app/blobs/uploads/?mount=" + config + "&from=alice/app", push, "upload.start", config},
		{"GET /v2/alice/app/blobs/uploads/x", push, "upload.get", ""},
		{"PATCH /v2/alice/app/blobs/uploads/x", push, "upload.patch", ""},
		{"PUT /v2/alice/app/blobs/uploads/x?digest=" + config, push, "upload.put", config},
		{"DELETE /v2/alice/app/blobs/uploads/x", push, "upload.cancel", ""},
		{"GET /v2/alice/app/tags/list", pull, "tag.list", ""},
		{"HEAD /v2/alice/app/tags/list", pull, "tag.list", ""},
		{"GET /v2/alice/app/referrers/" + digest, pull, "referrer.list", digest},
		{"HEAD /v2/alice/app/referrers/" + digest, pull, "referrer.list", digest},
	} {
		refused := func(as string, status int, code, who, why string) audited {
			entry := fmt.Sprintf("%s denied %s %d %s alice/app %s (%s)", r.missing, r.request, status, who, r.about, why)
			return audited{row{do: r.do, as: as, status: status, code: code}, strings.Join(strings.Fields(entry), " ")}
		}
		missing := ": repository:alice/app:" + r.missing
		table = append(table,
			refused(narrow, 401, "UNAUTHORIZED", "user:alice token", "insufficient scope"+missing),
			refused(anonymous, 401, "UNAUTHORIZED", "anonymous token", "insufficient scope"+missing),
			refused("Bearer garbage", 401, "UNAUTHORIZED", "anonymous token", "invalid token: malformed"),
			refused("bob", 403, "DENIED", "user:bob password", "denied"+missing),
			audited{row{do: r.do, as: "bob:wrong", status: 401, code: "UNAUTHORIZED"}, "login denied 0 anonymous password user:bob"},
			audited{row{do: r.do, as: "-", status: 401, code: "UNAUTHORIZED"}, ""},
		)
	}
	return table
}

// auditedReads are requests that leave something only where they are refused.
func (s *stack) auditedReads(config, digest string) (table []audited) {
	s.Helper()
	all, narrow := bearer(s.token("alice", "repository:alice/app:pull", "registry:catalog:*")), bearer(s.token("alice", "repository:alice/app:pull"))
	refused := func(do, as, entry string) audited {
		return audited{row{do: do, as: as, status: 401, code: "UNAUTHORIZED"}, entry}
	}
	for _, method := range []string{"GET", "HEAD"} {
		for _, path := range []string{
			"/v2/", "/v2/_catalog", "/v2/alice/app/tags/list", "/v2/alice/app/referrers/" + digest, "/v2/alice/app/manifests/v1", "/v2/alice/app/blobs/" + config,
		} {
			table = append(table, audited{row{do: method + " " + path, as: all, status: 200}, ""})
		}
		table = append(table,
			refused(method+" /v2/", "-", ""),
			refused(method+" /v2/", "Bearer garbage", "ping denied base 401 anonymous token (invalid token: malformed)"),
			refused(method+" /v2/", "Negotiate x", "ping denied base 401 anonymous (malformed credentials: the scheme is neither Bearer nor Basic)"),
			refused(method+" /v2/_catalog", narrow, "list denied repository.list 401 user:alice token (insufficient scope: registry:catalog:*)"),
		)
	}
	const probe = "HEAD /v2/ratelimitpreview/test/manifests/latest"
	return append(table,
		audited{row{do: probe, as: narrow, status: 200}, ""},
		refused(probe, "Bearer garbage", "ping denied limit.preview 401 anonymous token ratelimitpreview/test latest (invalid token: malformed)"),
		refused("GET /v1/search?q=app", "Bearer garbage", "list denied search 401 anonymous token (invalid token: malformed)"),
		audited{row{do: "GET /v1/search?q=app", as: "-", status: 200}, ""},
		audited{row{do: "GET /healthz", as: "-", status: 200}, ""},
		audited{row{do: "GET /readyz", as: "-", status: 200}, ""},
		audited{row{do: "GET /nowhere", as: "-", status: 404, code: "UNSUPPORTED"}, ""},
	)
}

// auditedChanges are pushes and deletes. A blob is pushed when it is committed,
// once; what changes nothing leaves nothing.
func (s *stack) auditedChanges(config, digest string) []audited {
	s.Helper()
	all, doc, layer, other := bearer(s.token("alice", "repository:alice/app:*")), image("config"), digestOf("layer"), digestOf("other")
	const uploads, mount = "POST /v2/alice/app/blobs/uploads/", "POST /v2/alice/new/blobs/uploads/?mount="
	done := func(do, body string, status int, entry string) audited {
		return audited{row{do: do, as: all, body: body, status: status}, entry}
	}
	failed := func(do, body string, status int, code string) audited {
		return audited{row{do: do, as: all, body: body, status: status, code: code}, ""}
	}
	return []audited{
		done(uploads, "", 202, ""),
		done("GET {session}", "", 204, ""),
		done("PATCH {session}", "lay", 202, ""),
		done("PUT {session}?digest="+layer, "er", 201, "push ok upload.put 201 user:alice token alice/app "+layer),
		failed("PUT {session}?digest="+layer, "", 404, "BLOB_UPLOAD_UNKNOWN"),
		done(uploads, "", 202, ""),
		done("DELETE {session}", "", 204, ""),
		done(uploads+"?digest="+other, "other", 201, "push ok upload.start 201 user:alice token alice/app "+other),
		failed(uploads+"?digest="+other, "wrong", 400, "DIGEST_INVALID"),
		{row{do: mount + other + "&from=alice/app", status: 201}, "push ok upload.start 201 user:alice password alice/new " + other + " (mounted from alice/app)"},
		{row{do: mount + config, status: 201}, "push ok upload.start 201 user:alice password alice/new " + config + " (mounted from anywhere)"},
		{row{do: mount + digestOf("absent"), status: 202}, ""},

		done("PUT /v2/alice/app/manifests/v2", doc, 201, "push ok manifest.put 201 user:alice token alice/app v2 "+digest),
		done("PUT /v2/alice/app/manifests/"+digest+"?tag=v3&tag=v4", doc, 201, "push ok manifest.put 201 user:alice token alice/app "+digest+" (tags v3 v4)"),
		failed("PUT /v2/alice/app/manifests/v2", "{", 400, "MANIFEST_INVALID"),
		done("DELETE /v2/alice/app/manifests/v2", "", 202, "delete ok manifest.delete 202 user:alice token alice/app v2"),
		failed("DELETE /v2/alice/app/manifests/v2", "", 404, "MANIFEST_UNKNOWN"),
		done("DELETE /v2/alice/app/manifests/"+digest, "", 202, "delete ok manifest.delete 202 user:alice token alice/app "+digest),
		done("DELETE /v2/alice/app/blobs/"+other, "", 202, "delete ok blob.delete 202 user:alice token alice/app "+other),
	}
}

// auditedTokens are requests of the token endpoint.
func (s *stack) auditedTokens() []audited {
	s.Helper()
	token := func(as, query, entry string) audited {
		return audited{row{do: "GET /token" + query, as: as, status: 200}, entry}
	}
	refused := func(as, entry string) audited {
		return audited{row{do: "GET /token", as: as, status: 401, code: "UNAUTHORIZED"}, entry}
	}
	return []audited{
		token("-", "?scope=repository:public/app:pull", "token ok token 200 anonymous (repository:public/app:pull)"),
		token("carol", "?scope=repository:bob/app:pull,push", "login ok 0 user:carol password; token ok token 200 user:carol password"),
		token("carol", "?scope=repository:carol/app:*", "token ok token 200 user:carol password (repository:carol/app:*)"),
		refused("carol:wrong", "login denied 0 anonymous password user:carol"),
		refused("Not a name:wrong", "login denied 0 anonymous password"),
		refused(bearer(s.token("alice")), "token denied token 401 user:alice token (invalid token: a token cannot be exchanged for another)"),
		refused("Bearer garbage", "token denied token 401 anonymous token (invalid token: malformed)"),
		token("-", "?scope=x", "token ok token 200 anonymous"),
	}
}

// auditedBeside are requests of what is neither below /v2 nor gives tokens of
// the registry. What the API leaves is for package api to test.
func auditedBeside() []audited {
	open := func(do string) audited { return audited{row{do: do, as: "-", status: 200}, ""} }
	const made = "token ok login.callback 200 user:alice browser_login id (a personal token)"
	back := row{do: "GET /login/callback?state=s", as: "-", with: header{"Cookie": "berth-login=" + loginSecret}, status: 200}
	return []audited{
		open("GET /v1/_ping"), open("GET /.well-known/jwks.json"), open("GET /metrics"), open("HEAD /healthz"), open("HEAD /readyz"),
		{row{do: "POST /token", as: "-", status: 400, code: "UNSUPPORTED"}, ""},
		{row{do: "GET /login", as: "-", status: 303}, ""},
		{row{do: "GET /login/callback?state=s", as: "-", status: 400}, "login denied 0 anonymous browser_login (malformed credentials: another login)"},
		{back, "login ok 0 user:alice browser_login; " + made},
		{back, made},
		{row{do: "GET /api/v1/me", as: bearer("berth_pat_x_y"), status: 401}, "login denied 0 anonymous personal_token"},
		{row{do: "GET /api/v1/me", as: "Bearer garbage", status: 401}, "admin denied me 401 anonymous token (invalid token: malformed)"},
		{row{do: "DELETE /api/v1/robots/ci", as: "bob", status: 403}, "admin denied removeRobot 403 user:bob password ci (only an administrator may do this, and not by a token that narrows)"},
	}
}

// covered reports whether rows of the table are of a kind.
func covered(t *testing.T, table []audited, name string) (done, refused bool) {
	t.Helper()
	for _, a := range table {
		do := strings.ReplaceAll(a.do, "{session}", "/v2/alice/app/blobs/uploads/x")
		if strings.Contains(do, " /v2/") && kindOf(t, do) == name {
			done, refused = done || a.status < 400, refused || strings.Contains(a.entries, "denied")
		}
	}
	return done, refused
}

// audits sends the rows and compares what they leave in the trail. As
// "name:password" a row is sent by Basic.
func (s *stack) audits(table []audited) {
	s.Helper()
	for i, a := range table {
		if strings.Contains(a.as, ":") && !strings.HasPrefix(a.as, "Bearer ") {
			a.as = "Basic " + base64.StdEncoding.EncodeToString([]byte(a.as))
		}
		s.table([]row{a.row})
		var got []string
		for _, e := range s.trail.take() {
			text := short(e)
			if !e.Client.IsLoopback() || !e.Time.Equal(s.clock.now()) {
				text += fmt.Sprint(" from ", e.Client, " at ", e.Time)
			}
			got = append(got, text)
		}
		if text := strings.Join(got, "; "); text != a.entries {
			s.Errorf("row %d: %s as %.20q leaves\n\t%s\nwant\n\t%s", i+1, a.do, a.as, text, a.entries)
		}
	}
}

// TestAuditRefreshTokens: a refresh token is a login of its own kind.
func TestAuditRefreshTokens(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{refresh: true})
	s.addUser("dave")
	g := s.grantOf(s.send(row{do: "GET /token?offline_token=true", as: "dave"}))
	if g.RefreshToken == nil {
		t.Fatal("no refresh token")
	}
	s.trail.take()
	redeem := func(raw string) string {
		s.post(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {raw}, "scope": {"repository:dave/app:pull"}})
		var got []string
		for _, e := range s.trail.take() {
			got = append(got, short(e))
			if strings.Contains(fmt.Sprint(e), raw) {
				t.Errorf("%+v holds the token", e)
			}
		}
		return strings.Join(got, "; ")
	}
	if got := redeem(*g.RefreshToken); got != "token ok token 200 user:dave refresh_token (repository:dave/app:pull)" {
		t.Error(got)
	}
	if got := redeem("garbage"); !strings.HasPrefix(got, "token denied token 401 anonymous refresh_token (") {
		t.Error(got)
	}
}

// TestAuditFailures: a change that a failing store may have made or not is there.
func TestAuditFailures(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	s.blob("alice/app", "config")
	s.must(s.bolt.Close())
	s.trail.take()
	s.send(row{do: "PUT /v2/alice/app/manifests/v1", body: image("config")})
	s.send(row{do: "GET /v2/alice/app/manifests/v1"})
	s.closed = true
	if got, want := s.trail.text(), "push failed manifest.put 500 user:alice password alice/app v1"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestAuditClient: the trail knows the client as far as proxies are trusted.
func TestAuditClient(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{proxies: httpx.Proxies{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}})
	s.table([]row{{do: "GET /token", with: header{"X-Forwarded-For": "198.51.100.1, 192.0.2.7"}, status: 200}})
	entries := s.trail.take()
	for _, e := range entries {
		if e.Client != netip.MustParseAddr("192.0.2.7") {
			t.Errorf("%s from %v", short(e), e.Client)
		}
	}
	if len(entries) != 2 {
		t.Errorf("%d entries", len(entries))
	}
}
