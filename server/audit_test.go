package server_test

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
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

// take returns what was recorded since it was last asked.
func (t *trail) take() []audit.Entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	taken := t.entries
	t.entries = nil
	return taken
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
	s := newStack(t, settings{refresh: true})
	config := s.blob("alice/app", "config")
	doc := image("config")
	digest := s.manifest("alice/app", "v1", doc)
	layer, other := digestOf("layer"), digestOf("other")
	all := bearer(s.token("alice", "repository:alice/app:*", "registry:catalog:*"))
	narrow := bearer(s.token("alice", "repository:alice/else:pull"))
	anonymous := bearer(s.token("-", "repository:alice/app:pull"))
	s.table([]row{{do: "GET /v2/", as: "bob", status: 200}}) // no news from here on, as alice is none
	s.trail.take()

	// What refusals of a request leave: by a token of alice that is too narrow,
	// by Basic of bob, by garbage, by an anonymous token, and by nobody at all.
	refused := func(do, entry, missing string) []audited {
		const insufficient, invalid = "insufficient scope: ", "invalid token: malformed"
		narrowed := func(as, who string) audited {
			return audited{row{do: do, as: as, status: 401, code: "UNAUTHORIZED"}, fmt.Sprintf(entry, "denied", 401, who+" token", insufficient+missing)}
		}
		return []audited{
			narrowed(narrow, "user:alice"), narrowed(anonymous, "anonymous"),
			{row{do: do, as: "bob", status: 403, code: "DENIED"}, fmt.Sprintf(entry, "denied", 403, "user:bob password", "denied: "+missing)},
			{row{do: do, as: "Bearer garbage", status: 401, code: "UNAUTHORIZED"}, fmt.Sprintf(entry, "denied", 401, "anonymous token", invalid)},
			{row{do: do, as: "-", status: 401, code: "UNAUTHORIZED"}, ""},
			{row{do: do, as: "bob:wrong", status: 401, code: "UNAUTHORIZED"}, "login denied 0 anonymous password user:bob"},
		}
	}
	repo := "repository:alice/app:"
	var table []audited
	add := func(rows ...audited) { table = append(table, rows...) }
	add(refused("HEAD /v2/alice/app/manifests/v1", "pull %s manifest.head %d %s alice/app v1 (%s)", repo+"pull")...)
	add(refused("GET /v2/alice/app/manifests/v1", "pull %s manifest.get %d %s alice/app v1 (%s)", repo+"pull")...)
	add(refused("GET /v2/alice/app/manifests/"+digest, "pull %s manifest.get %d %s alice/app "+digest+" (%s)", repo+"pull")...)
	add(refused("PUT /v2/alice/app/manifests/v1", "push %s manifest.put %d %s alice/app v1 (%s)", repo+"push")...)
	add(refused("DELETE /v2/alice/app/manifests/v1", "delete %s manifest.delete %d %s alice/app v1 (%s)", repo+"delete")...)
	add(refused("HEAD /v2/alice/app/blobs/"+config, "pull %s blob.head %d %s alice/app "+config+" (%s)", repo+"pull")...)
	add(refused("GET /v2/alice/app/blobs/"+config, "pull %s blob.get %d %s alice/app "+config+" (%s)", repo+"pull")...)
	add(refused("DELETE /v2/alice/app/blobs/"+config, "delete %s blob.delete %d %s alice/app "+config+" (%s)", repo+"delete")...)
	add(refused("POST /v2/alice/app/blobs/uploads/", "push %s upload.start %d %s alice/app (%s)", repo+"push")...)
	add(refused("POST /v2/alice/app/blobs/uploads/?mount="+config+"&from=alice/app", "push %s upload.start %d %s alice/app "+config+" (%s)", repo+"push")...)
	add(refused("GET /v2/alice/app/blobs/uploads/x", "push %s upload.get %d %s alice/app (%s)", repo+"push")...)
	add(refused("PATCH /v2/alice/app/blobs/uploads/x", "push %s upload.patch %d %s alice/app (%s)", repo+"push")...)
	add(refused("PUT /v2/alice/app/blobs/uploads/x?digest="+layer, "push %s upload.put %d %s alice/app "+layer+" (%s)", repo+"push")...)
	add(refused("DELETE /v2/alice/app/blobs/uploads/x", "push %s upload.cancel %d %s alice/app (%s)", repo+"push")...)
	for _, method := range []string{"GET", "HEAD"} {
		add(refused(method+" /v2/alice/app/tags/list", "pull %s tag.list %d %s alice/app (%s)", repo+"pull")...)
		add(refused(method+" /v2/alice/app/referrers/"+digest, "pull %s referrer.list %d %s alice/app "+digest+" (%s)", repo+"pull")...)
		add(
			audited{row{do: method + " /v2/", as: all, status: 200}, ""},
			audited{row{do: method + " /v2/", as: "-", status: 401, code: "UNAUTHORIZED"}, ""},
			audited{row{do: method + " /v2/", as: "Bearer garbage", status: 401, code: "UNAUTHORIZED"}, "ping denied base 401 anonymous token (invalid token: malformed)"},
			audited{row{do: method + " /v2/", as: "Negotiate x", status: 401, code: "UNAUTHORIZED"}, "ping denied base 401 anonymous (malformed credentials: the scheme is neither Bearer nor Basic)"},
			audited{row{do: method + " /v2/_catalog", as: all, status: 200}, ""},
			audited{row{do: method + " /v2/_catalog", as: narrow, status: 401, code: "UNAUTHORIZED"}, "list denied repository.list 401 user:alice token (insufficient scope: registry:catalog:*)"},
			audited{row{do: method + " /v2/alice/app/tags/list", as: all, status: 200}, ""},
			audited{row{do: method + " /v2/alice/app/referrers/" + digest, as: all, status: 200}, ""},
			audited{row{do: method + " /v2/alice/app/manifests/v1", as: all, status: 200}, ""},
			audited{row{do: method + " /v2/alice/app/blobs/" + config, as: all, status: 200}, ""},
		)
	}
	uploads := "POST /v2/alice/app/blobs/uploads/"
	add(
		// A blob by POST, PATCH and PUT is pushed when it is committed, once.
		audited{row{do: uploads, as: all, status: 202}, ""},
		audited{row{do: "GET {session}", as: all, status: 204}, ""},
		audited{row{do: "PATCH {session}", as: all, body: "lay", status: 202}, ""},
		audited{row{do: "PUT {session}?digest=" + layer, as: all, body: "er", status: 201}, "push ok upload.put 201 user:alice token alice/app " + layer},
		audited{row{do: "PUT {session}?digest=" + layer, as: all, status: 404, code: "BLOB_UPLOAD_UNKNOWN"}, ""},
		audited{row{do: uploads, as: all, status: 202}, ""},
		audited{row{do: "DELETE {session}", as: all, status: 204}, ""},
		audited{row{do: uploads + "?digest=" + other, as: all, body: "other", status: 201}, "push ok upload.start 201 user:alice token alice/app " + other},
		audited{row{do: uploads + "?digest=" + other, as: all, body: "wrong", status: 400, code: "DIGEST_INVALID"}, ""},
		audited{row{do: "POST /v2/alice/new/blobs/uploads/?mount=" + other + "&from=alice/app", as: "alice", status: 201}, "push ok upload.start 201 user:alice password alice/new " + other + " (mounted from alice/app)"},
		audited{row{do: "POST /v2/alice/new/blobs/uploads/?mount=" + layer, as: "alice", status: 201}, "push ok upload.start 201 user:alice password alice/new " + layer + " (mounted from anywhere)"},
		audited{row{do: "POST /v2/alice/new/blobs/uploads/?mount=" + digestOf("absent"), as: "alice", status: 202}, ""},

		audited{row{do: "PUT /v2/alice/app/manifests/v2", as: all, body: doc, status: 201}, "push ok manifest.put 201 user:alice token alice/app v2 " + digest},
		audited{row{do: "PUT /v2/alice/app/manifests/" + digest + "?tag=v3&tag=v4", as: all, body: doc, status: 201}, "push ok manifest.put 201 user:alice token alice/app " + digest + " (tags v3 v4)"},
		audited{row{do: "PUT /v2/alice/app/manifests/v2", as: all, body: "{", status: 400, code: "MANIFEST_INVALID"}, ""},
		audited{row{do: "DELETE /v2/alice/app/manifests/v2", as: all, status: 202}, "delete ok manifest.delete 202 user:alice token alice/app v2"},
		audited{row{do: "DELETE /v2/alice/app/manifests/v2", as: all, status: 404, code: "MANIFEST_UNKNOWN"}, ""},
		audited{row{do: "DELETE /v2/alice/app/manifests/" + digest, as: all, status: 202}, "delete ok manifest.delete 202 user:alice token alice/app " + digest},
		audited{row{do: "DELETE /v2/alice/app/blobs/" + other, as: all, status: 202}, "delete ok blob.delete 202 user:alice token alice/app " + other},

		audited{row{do: "GET /v1/search?q=app", as: "-", status: 200}, ""},
		audited{row{do: "GET /v1/search?q=app", as: "Bearer garbage", status: 401, code: "UNAUTHORIZED"}, "list denied search 401 anonymous token (invalid token: malformed)"},
		audited{row{do: "GET /healthz", as: "-", status: 200}, ""},
		audited{row{do: "GET /readyz", as: "-", status: 200}, ""},
		audited{row{do: "GET /nowhere", as: "-", status: 404, code: "UNSUPPORTED"}, ""},

		audited{row{do: "GET /token?scope=repository:public/app:pull", as: "-", status: 200}, "token ok token 200 anonymous (repository:public/app:pull)"},
		audited{row{do: "GET /token?scope=repository:bob/app:pull,push", as: "carol", status: 200}, "login ok 0 user:carol password; token ok token 200 user:carol password"},
		audited{row{do: "GET /token?scope=repository:carol/app:*", as: "carol", status: 200}, "token ok token 200 user:carol password (repository:carol/app:*)"},
		audited{row{do: "GET /token", as: "carol:wrong", status: 401, code: "UNAUTHORIZED"}, "login denied 0 anonymous password user:carol"},
		audited{row{do: "GET /token", as: "Not a name:wrong", status: 401, code: "UNAUTHORIZED"}, "login denied 0 anonymous password"},
		audited{row{do: "GET /token", as: all, status: 401, code: "UNAUTHORIZED"}, "token denied token 401 user:alice token (invalid token: a token cannot be exchanged for another)"},
		audited{row{do: "GET /token", as: "Bearer garbage", status: 401, code: "UNAUTHORIZED"}, "token denied token 401 anonymous token (invalid token: malformed)"},
		audited{row{do: "GET /token?scope=x", as: "-", status: 400, code: "UNSUPPORTED"}, ""},
	)
	s.audits(table)
	for _, name := range server.RouteNames() {
		if done, refused := covered(t, table, name); !done || !refused {
			t.Errorf("%s: a row where it is done %t, where it is refused %t", name, done, refused)
		}
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
	var got []string
	for _, e := range s.trail.take() {
		got = append(got, short(e))
	}
	if want := "push failed manifest.put 500 user:alice password alice/app v1"; strings.Join(got, "; ") != want {
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
