package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/internal/httpx"
	"github.com/berth-registry/berth/ratelimit"
	"github.com/berth-registry/berth/ratelimit/pulls"
	"github.com/berth-registry/berth/registry"
	"github.com/berth-registry/berth/server"
	"github.com/berth-registry/berth/storage"
)

// limited is a policy of so many pulls in 6 h for users, and 100 for who is
// not known.
func limited(n int64) *pulls.Policy {
	return &pulls.Policy{
		Anonymous:     ratelimit.Limit{Pulls: 100, Window: 6 * time.Hour},
		Authenticated: ratelimit.Limit{Pulls: n, Window: 6 * time.Hour},
	}
}

// content is one manifest of each kind, in alice/app, and how many pulls asking
// for it by GET is.
type content struct {
	name, tag, digest string
	pulls             int64
}

// pushContent pushes them.
func (s *stack) pushContent() []content {
	s.Helper()
	const repo = "alice/app"
	for _, b := range []string{"config", "layer", "{}", "statement"} {
		s.blob(repo, b)
	}
	app := image("config", "layer")
	attestation := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":%s}`, imageType, descriptor(configType, "config"), descriptors("application/vnd.in-toto+json", []string{"statement"}))
	signature := strings.Replace(attestation, "in-toto", "dev.cosign.simplesigning", 1)
	disguised := strings.Replace(app, `"schemaVersion":2`, fmt.Sprintf(`"schemaVersion":2,"subject":%s`, descriptor(imageType, app)), 1)
	attesting := strings.Replace(index(app, attestation), descriptor(imageType, attestation),
		strings.TrimSuffix(descriptor(imageType, attestation), "}")+`,"annotations":{"vnd.docker.reference.type":"attestation-manifest"}}`, 1)
	cosign := strings.Replace(digestOf(app), ":", "-", 1)
	all := []struct {
		name, tag, doc string
		pulls          int64
	}{
		{"image", "v1", app, 1},
		{"docker's image", "docker", dockerImage("config", "layer"), 1},
		{"index", "multi", index(app), 0},
		{"docker's list", "list", strings.Replace(index(app), indexType, dockerListType, 1), 0},
		{"chart", "chart", fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[]}`, imageType, descriptor(helmType, "config")), 1},
		{"SBOM that refers to the image", "sbom", artifact(helmType, app, "sbom"), 0},
		{"image that refers to the image", "disguised", disguised, 1},
		{"attestation", "", attestation, 0},
		{"index with the attestation", "attested", attesting, 0},
		{"signature of cosign's", cosign + ".sig", signature, 0},
		{"image under a tag of cosign's", cosign + ".att", strings.Replace(app, "{", "{ ", 1), 1},
	}
	var list []content
	for _, c := range all {
		reference := c.tag
		if reference == "" {
			reference = digestOf(c.doc)
		}
		list = append(list, content{c.name, c.tag, s.manifest(repo, reference, c.doc), c.pulls})
	}
	return list
}

// used is how many pulls a user has made.
func (s *stack) used(who auth.Principal) int64 {
	s.Helper()
	d, err := s.limiter.Look(context.Background(), who, "", s.clock.now())
	s.must(err)
	return d.Used
}

var aliceUser = auth.Principal{Kind: auth.User, Name: "alice"}

// costs sends a row and expects it to be so many pulls.
func (s *stack) costs(want int64, r row) {
	s.Helper()
	before := s.used(aliceUser)
	s.table([]row{r})
	if got := s.used(aliceUser) - before; got != want {
		s.Errorf("%s is %d pulls, want %d", r.do, got, want)
	}
}

// TestWhatCounts is the definition of a pull.
func TestWhatCounts(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{limits: limited(1000)})
	const repo = "/v2/alice/app/"
	for _, c := range s.pushContent() {
		references := []string{c.digest}
		if c.tag != "" {
			references = append(references, c.tag)
		}
		for _, reference := range references {
			at := repo + "manifests/" + reference
			s.costs(c.pulls, row{do: "GET " + at, status: 200})
			s.costs(c.pulls, row{do: "GET " + at, with: header{"Range": "bytes=0-1"}, status: 200})
			s.costs(c.pulls, row{do: "GET " + at, with: header{"If-None-Match": `"other"`}, status: 200})
			s.costs(0, row{do: "HEAD " + at, status: 200})
			s.costs(0, row{do: "GET " + at, with: header{"If-None-Match": `"` + c.digest + `"`}, status: 304})
			s.costs(0, row{do: "HEAD " + at, with: header{"If-None-Match": `"` + c.digest + `"`}, status: 304})
			s.costs(0, row{do: "GET " + at, as: "bob", status: 403, code: "DENIED"})
		}
	}
	s.costs(0, row{do: "GET " + repo + "manifests/absent", status: 404, code: "MANIFEST_UNKNOWN"})
	s.costs(0, row{do: "GET " + repo + "manifests/-", status: 400, code: "MANIFEST_INVALID"})
	s.costs(0, row{do: "GET " + repo + "blobs/" + digestOf("layer"), status: 200})
	s.costs(0, row{do: "GET " + repo + "tags/list", status: 200})
	s.costs(0, row{do: "GET " + repo + "referrers/" + digestOf("x"), status: 200})
	s.costs(0, row{do: "PUT " + repo + "manifests/v1", body: image("config", "layer"), status: 201})
}

// TestManifestAsBlob counts what is asked for under /blobs, if it is served.
func TestManifestAsBlob(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{limits: limited(1000)})
	app := image("config", "layer")
	s.pushContent()
	s.blob("alice/app", app)
	s.blob("alice/app", index(app))
	at := "/v2/alice/app/blobs/" + digestOf(app)
	s.costs(1, row{do: "GET " + at, status: 200, text: app})
	s.costs(1, row{do: "GET " + at, with: header{"Range": "bytes=1-"}, status: 206, text: app[1:]})
	s.costs(0, row{do: "HEAD " + at, status: 200})
	s.costs(0, row{do: "GET " + at, with: header{"If-None-Match": `"` + digestOf(app) + `"`}, status: 304})
	s.costs(0, row{do: "GET " + at, with: header{"Range": "bytes=100000-"}, status: 416, code: "UNSUPPORTED"})
	s.costs(0, row{do: "GET /v2/alice/app/blobs/" + digestOf(index(app)), status: 200})
	s.blob("alice/other", app) // where it is no manifest
	s.costs(0, row{do: "GET /v2/alice/other/blobs/" + digestOf(app), status: 200})
}

// TestEveryManifest is Docker Hub's older rule: everything by GET counts, for
// twice the budget.
func TestEveryManifest(t *testing.T) {
	t.Parallel()
	policy := limited(1000)
	policy.EveryManifest = true
	s := newStack(t, settings{limits: policy})
	for _, c := range s.pushContent() {
		before := s.used(aliceUser)
		for range 2 {
			s.table([]row{
				{do: "GET /v2/alice/app/manifests/" + c.digest, status: 200},
				{do: "HEAD /v2/alice/app/manifests/" + c.digest, status: 200},
				{do: "GET /v2/alice/app/manifests/" + c.digest, with: header{"If-None-Match": `"` + c.digest + `"`}, status: 304},
			})
		}
		if got := s.used(aliceUser) - before; got != 1 {
			t.Errorf("%s twice is %d pulls, want 1", c.name, got)
		}
	}
}

// TestNothingLeft refuses what counts and serves everything else.
func TestNothingLeft(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{limits: limited(3)})
	all := s.pushContent()
	app := image("config", "layer")
	s.blob("alice/app", app)
	s.table([]row{
		{do: "GET /v2/alice/app/manifests/v1", status: 200},
		{do: "GET /v2/alice/app/manifests/v1", status: 200},
		{do: "GET /v2/alice/app/manifests/v1", status: 200, gives: header{"Ratelimit-Remaining": "0;w=21600", "Retry-After": ""}},
	})
	for _, c := range all {
		at := "/v2/alice/app/manifests/" + c.digest
		get := row{do: "GET " + at, status: 200, gives: header{"Ratelimit-Remaining": "0;w=21600"}}
		if c.pulls > 0 {
			get.status, get.code = 429, "TOOMANYREQUESTS"
		}
		s.table([]row{
			get,
			{do: "HEAD " + at, status: 200, gives: header{"Ratelimit-Remaining": "0;w=21600"}},
			{do: "GET " + at, with: header{"If-None-Match": `"` + c.digest + `"`}, status: 304},
		})
	}
	s.table([]row{
		{do: "GET /v2/alice/app/manifests/absent", status: 404, code: "MANIFEST_UNKNOWN"},
		{do: "GET /v2/alice/app/blobs/" + digestOf("layer"), status: 200},
		{do: "GET /v2/alice/app/blobs/" + digestOf(app), status: 429, code: "TOOMANYREQUESTS"},
		{do: "PUT /v2/alice/app/manifests/v2", body: app, status: 201},
	})
	if got := s.used(aliceUser); got != 3 {
		t.Errorf("%d used after refusals", got)
	}
}

// wait is how long the next pull takes to become possible.
func (s *stack) wait(who auth.Principal) time.Duration {
	s.Helper()
	d, err := s.limiter.Look(context.Background(), who, "", s.clock.now())
	s.must(err)
	return d.Reset
}

// toSlot moves the clock to where a slot of 6 h begins.
func (s *stack) toSlot() {
	const slot = 5 * time.Minute
	s.clock.advance(s.clock.now().Truncate(slot).Add(slot).Sub(s.clock.now()))
}

// TestRefusal is the 429 to the letter: what it says, and Retry-After only if
// that is soon.
func TestRefusal(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{limits: limited(1), url: "https://registry.example"})
	s.toSlot()
	s.blob("public/app", "config")
	s.manifest("public/app", "v1", image("config"))
	pull := row{do: "GET /v2/public/app/manifests/v1", status: 200}
	refused := pull
	refused.status, refused.code = 429, "TOOMANYREQUESTS"
	s.table([]row{pull})

	refused.gives = header{
		"Retry-After": "", "Content-Type": "application/json", "Ratelimit-Limit": "1;w=21600", "Ratelimit-Remaining": "0;w=21600",
		"Docker-Ratelimit-Source": "alice", "Ratelimit-Policy": `"pulls";q=1;w=21600`, "Ratelimit": `"pulls";r=0;t=21900`,
	}
	refused.has = `"message":"You have reached your pull rate limit of 1 per 6h as 'alice'. The next pull is possible in 6h5m."`
	s.table([]row{refused})
	s.clock.advance(s.wait(aliceUser) - 61*time.Second)
	refused.has, refused.gives = "in 1m1s.", header{"Retry-After": ""}
	s.table([]row{refused})
	s.clock.advance(time.Second)
	refused.has, refused.gives = "in 1m.", header{"Retry-After": "60"}
	s.table([]row{refused})
	s.clock.advance(60*time.Second - time.Microsecond)
	refused.has, refused.gives = "in 1s.", header{"Retry-After": "1"}
	s.table([]row{refused})
	s.clock.advance(time.Microsecond)
	s.table([]row{pull})

	nobody := auth.Principal{Client: netip.MustParseAddr("127.0.0.1")}
	for range 100 {
		_, err := s.limiter.Take(t.Context(), nobody, "", s.clock.now())
		s.must(err)
	}
	pull.as = bearer(s.token("-", "repository:public/app:pull"))
	pull.status, pull.code, pull.gives = 429, "TOOMANYREQUESTS", header{"Docker-Ratelimit-Source": "127.0.0.1"}
	pull.has = `"You have reached the pull rate limit of 100 per 6h for anonymous pulls from 127.0.0.1. The next pull is possible in 6h5m. Log in to have a limit of your own: docker login registry.example"`
	s.table([]row{pull})
}

// TestLimitHeaders are on the answers to every GET and HEAD of a manifest,
// unless there is no limit.
func TestLimitHeaders(t *testing.T) {
	t.Parallel()
	policy := limited(200)
	policy.Exempt = func(repo string) bool { return repo == "public/free/app" }
	loopback := httpx.Proxies{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	s := newStack(t, settings{limits: policy, proxies: loopback})
	s.toSlot()
	for _, repo := range []string{"public/app", "public/free/app"} {
		s.blob(repo, "config")
		s.manifest(repo, "v1", image("config"))
		s.manifest(repo, "multi", index(image("config")))
	}
	anonymous := bearer(s.token("-", "repository:public/app:pull", "repository:public/free/app:pull"))
	headers := func(limit, remaining, reset int, source string) header {
		return header{
			"Ratelimit-Limit": fmt.Sprintf("%d;w=21600", limit), "Ratelimit-Remaining": fmt.Sprintf("%d;w=21600", remaining), "Docker-Ratelimit-Source": source,
			"Ratelimit-Policy": fmt.Sprintf(`"pulls";q=%d;w=21600`, limit), "Ratelimit": fmt.Sprintf(`"pulls";r=%d;t=%d`, remaining, reset),
		}
	}
	none := header{"Ratelimit-Limit": "", "Ratelimit-Remaining": "", "Docker-Ratelimit-Source": "", "Ratelimit-Policy": "", "Ratelimit": ""}
	const app, multi = "/v2/public/app/manifests/v1", "/v2/public/app/manifests/multi"
	v6 := header{"X-Forwarded-For": "2001:db8:1:2:3::4"}
	s.table([]row{
		{do: "HEAD " + app, status: 200, gives: headers(200, 200, 0, "alice")},
		{do: "GET " + multi, status: 200, gives: headers(200, 200, 0, "alice")},
		{do: "GET " + app, status: 200, gives: headers(200, 199, 21900, "alice")},
		{do: "HEAD " + app, status: 200, gives: headers(200, 199, 21900, "alice")},
		{do: "GET " + app, as: "bob", status: 200, gives: headers(200, 199, 21900, "bob")},
		{do: "GET " + app, as: anonymous, with: header{"X-Forwarded-For": "203.0.113.7"}, status: 200, gives: headers(100, 99, 21900, "203.0.113.7")},
		{do: "GET " + app, as: anonymous, with: v6, status: 200, gives: headers(100, 99, 21900, "2001:db8:1:2::")},
		{do: "HEAD /v2/ratelimitpreview/test/manifests/latest", as: anonymous, with: v6, status: 200, gives: headers(100, 99, 21900, "2001:db8:1:2::")},
		{do: "HEAD /v2/ratelimitpreview/test/manifests/latest", status: 200, gives: headers(200, 199, 21900, "alice")},

		{do: "GET /v2/public/free/app/manifests/v1", status: 200, gives: none},
		{do: "HEAD /v2/public/free/app/manifests/v1", as: anonymous, status: 200, gives: none},
		{do: "GET /v2/public/app/tags/list", status: 200, gives: none},
		{do: "GET /v2/public/app/blobs/" + digestOf("config"), status: 200, gives: none},
		{do: "GET /v2/public/app/manifests/absent", status: 404, code: "MANIFEST_UNKNOWN", gives: none},
		{do: "GET /v2/", status: 200, gives: none},
	})
}

// TestLimitOfRobots is none, unless an override says so.
func TestLimitOfRobots(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{limits: limited(5), grants: append([]string{"robot:* pull public/**"}, defaultGrants...)})
	s.blob("public/app", "config")
	s.manifest("public/app", "v1", image("config"))
	made, err := s.robots.Add(t.Context(), "ci", nil, time.Time{}, s.clock.now())
	s.must(err)
	get := row{do: "GET /v2/public/app/manifests/v1", as: basicOf("robot$ci", made), status: 200, gives: header{"Ratelimit-Limit": ""}}
	for range 10 {
		s.table([]row{get})
	}
	who, err := auth.ParseWho("robot:*")
	s.must(err)
	policy := limited(5)
	policy.Overrides = []pulls.Override{{Who: []auth.Who{who}, Limit: ratelimit.Limit{Pulls: 1, Window: time.Hour}}}
	s.limiter.Replace(policy)
	get.gives = header{"Ratelimit-Limit": "1;w=3600", "Docker-Ratelimit-Source": "robot$ci"}
	s.table([]row{get})
	get.status, get.code, get.has = 429, "TOOMANYREQUESTS", "as 'robot$ci'"
	s.table([]row{get})
}

// TestForwardedAddresses count from trusted proxies only.
func TestForwardedAddresses(t *testing.T) {
	t.Parallel()
	for _, trusted := range []bool{false, true} {
		var proxies httpx.Proxies
		if trusted {
			proxies = httpx.Proxies{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
		}
		policy := limited(5)
		policy.Anonymous.Pulls = 1
		s := newStack(t, settings{limits: policy, proxies: proxies})
		s.blob("public/app", "config")
		s.manifest("public/app", "v1", image("config"))
		anonymous := bearer(s.token("-", "repository:public/app:pull"))
		for i := range 3 {
			r := row{do: "GET /v2/public/app/manifests/v1", as: anonymous, with: header{"X-Forwarded-For": fmt.Sprintf("203.0.113.%d", i)}, status: 200}
			if !trusted && i > 0 {
				r.status, r.code = 429, "TOOMANYREQUESTS"
			}
			s.table([]row{r})
		}
	}
}

// TestManyPullsAtOnce sends 64 clients after 100 pulls, with indexes and HEADs
// between them.
func TestManyPullsAtOnce(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{limits: limited(100)})
	s.pushContent()
	token := bearer(s.token("alice", "repository:alice/app:pull"))
	var served, refused atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for _, do := range []string{"HEAD", "GET", "GET", "GET"} {
				for _, tag := range []string{"multi", "v1"} {
					resp, err := s.client.Do(s.request(row{do: do + " /v2/alice/app/manifests/" + tag, as: token}))
					if err != nil {
						t.Error(err)
						continue
					}
					resp.Body.Close()
					switch counts := do == "GET" && tag == "v1"; {
					case counts && resp.StatusCode == 200:
						served.Add(1)
					case counts && resp.StatusCode == 429:
						refused.Add(1)
					case resp.StatusCode != 200:
						t.Errorf("%s %s: %d", do, tag, resp.StatusCode)
					}
				}
			}
		})
	}
	wg.Wait()
	if served.Load() != 100 || refused.Load() != 64*3-100 {
		t.Errorf("%d pulls served and %d refused, want 100 and %d", served.Load(), refused.Load(), 64*3-100)
	}
}

// unreachable are counters that cannot be reached.
type unreachable struct{ ratelimit.Counters }

func (unreachable) Take(context.Context, ratelimit.Key, ratelimit.Limit, int64, time.Time) (ratelimit.Decision, error) {
	return ratelimit.Decision{}, errors.New("secret.internal: connection refused")
}

// TestCountersGone refuses pulls, and nothing else, when nothing can be counted.
func TestCountersGone(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{limits: limited(100), counters: unreachable{}})
	s.pushContent()
	got := s.send(row{do: "GET /v2/alice/app/manifests/v1"})
	if got.StatusCode != 503 || got.code() != "UNAVAILABLE" || got.Header.Get("Retry-After") != "5" || strings.Contains(got.body, "secret") {
		t.Errorf("%d %v %s", got.StatusCode, got.Header, got.body)
	}
	s.table([]row{
		{do: "HEAD /v2/alice/app/manifests/v1", status: 200, gives: header{"Ratelimit-Limit": ""}},
		{do: "GET /v2/alice/app/manifests/multi", status: 200},
		{do: "GET /v2/alice/app/blobs/" + digestOf("layer"), status: 200},
		{do: "HEAD /v2/ratelimitpreview/test/manifests/latest", status: 200},
	})
}

// lostBlobs is a store without the bytes.
type lostBlobs struct{ *registry.Registry }

func (lostBlobs) Open(context.Context, registry.Blob) (storage.Blob, error) {
	return nil, errors.New("the disk is gone")
}

// TestFailedPullIsGivenBack serves a manifest as a blob from a disk that is
// gone, and one to a client that is.
func TestFailedPullIsGivenBack(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{limits: limited(100), registry: func(r *registry.Registry, _ *stack) server.Registry { return lostBlobs{r} }})
	s.pushContent()
	s.blob("alice/app", image("config", "layer"))
	s.costs(0, row{do: "GET /v2/alice/app/blobs/" + digestOf(image("config", "layer")), status: 500, code: "UNKNOWN"})
	r := s.request(row{do: "GET /v2/alice/app/manifests/v1"})
	s.handler.ServeHTTP(&goneClient{header: http.Header{}}, r)
	if got := s.used(aliceUser); got != 0 {
		t.Errorf("%d used", got)
	}
}

// goneClient takes headers and no bytes.
type goneClient struct{ header http.Header }

func (g *goneClient) Header() http.Header       { return g.header }
func (g *goneClient) WriteHeader(int)           {}
func (g *goneClient) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }
