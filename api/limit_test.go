package api_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/api"
	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/personal"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/ratelimit"
	"github.com/berth-registry/berth/ratelimit/memory"
	"github.com/berth-registry/berth/ratelimit/pulls"
)

// openLimits makes limits: 2 pulls for who is not known, 5 for users, 100 for
// those of the group dev, none for robots.
func (s *stack) openLimits() {
	s.Helper()
	counters, err := memory.New(memory.Options{}, s.now)
	s.must(err)
	dev, err := auth.ParseWho("group:dev")
	s.must(err)
	per := func(n int64) ratelimit.Limit { return ratelimit.Limit{Pulls: n, Window: 6 * time.Hour} }
	s.limits = pulls.NewLimiter(&pulls.Policy{
		Anonymous: per(2), Authenticated: per(5), Window: 6 * time.Hour, Overrides: []pulls.Override{{Who: []auth.Who{dev}, Limit: per(100)}},
	}, counters, s.store)
}

func (s *stack) pull(n int, who auth.Principal) {
	s.Helper()
	for range n {
		_, err := s.limits.Take(s.Context(), who, "", s.now)
		s.must(err)
	}
}

// TestLimits reads, resets and sets pull limits.
func TestLimits(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	alice := auth.Principal{Kind: auth.User, Name: "alice", Groups: []string{"dev"}}
	s.pull(3, alice)
	s.pull(1, auth.Principal{Kind: auth.User, Name: "ldap"})
	s.pull(4, auth.Principal{Client: netip.MustParseAddr("2001:db8::1")})
	expires := s.now.Add(time.Hour).Format(time.RFC3339)
	s.table([]row{
		{"GET /api/v1/limits", "", 200, `[{"key":"user:alice","source":"alice","unlimited":false,"limit":100,"window":21600,"used":3,"remaining":97,"reset":`},
		{"GET /api/v1/limits", "", 200, `,{"key":"2001:db8::/64","source":"2001:db8::","unlimited":false,"limit":2,"window":21600,"used":2,"remaining":0,"reset":`},
		{"GET /api/v1/limits?n=0", "", 400, "n is a number"},
		{"GET /api/v1/limits/user:alice", "", 200, `"limit":100,"window":21600,"used":3,"remaining":97`},
		{"GET /api/v1/limits/user:ldap", "", 200, `"limit":5,"window":21600,"used":1,"remaining":4`},
		{"GET /api/v1/limits/2001:db8::7", "", 200, `{"key":"2001:db8::/64","source":"2001:db8::","unlimited":false,"limit":2,"window":21600,"used":2,`},
		{"GET /api/v1/limits/2001:db8::%2F64", "", 200, `"used":2`},
		{"GET /api/v1/limits/192.0.2.7", "", 200, `{"key":"192.0.2.7","source":"192.0.2.7","unlimited":false,"limit":2,"window":21600,"used":0,"remaining":2,"reset":0}`},
		{"GET /api/v1/limits/robot:ci", "", 200, `{"key":"robot:ci","source":"robot$ci","unlimited":true,"limit":0,`},
		{"GET /api/v1/limits/outside:gitlab:a%2Fb:c", "", 200, `{"key":"outside:gitlab:a/b:c","source":"gitlab:a/b:c","unlimited":true,`},
		{"GET /api/v1/limits/alice", "", 400, "not a key"},
		{"GET /api/v1/limits/10.0.0.0%2F8", "", 400, "not a key"},

		{"POST /api/v1/limits/user:alice/reset", "", 204, ""},
		{"POST /api/v1/limits/alice/reset", "", 400, "not a key"},
		{"GET /api/v1/limits/user:alice", "", 200, `"used":0`},

		{"GET /api/v1/limits/set", "", 200, `[]`},
		{"PUT /api/v1/limits/user:alice", `{"limit":7}`, 204, ""},
		{"PUT /api/v1/limits/robot:ci", `{"limit":9,"window":3600,"expires":"` + expires + `"}`, 204, ""},
		{"PUT /api/v1/limits/192.0.2.7", `{"limit":0}`, 204, ""},
		{"GET /api/v1/limits/set", "", 200, `[{"key":"192.0.2.7","limit":0,"window":0,"by":"admin socket","set":"`},
		{"GET /api/v1/limits/set", "", 200, `{"key":"robot:ci","limit":9,"window":3600,"by":"admin socket","set":"` + s.now.Format(time.RFC3339) + `","expires":"` + expires + `"}`},
		{"GET /api/v1/limits/user:alice", "", 200, `"limit":7,"window":21600`},
		{"GET /api/v1/limits/robot:ci", "", 200, `"limit":9,"window":3600`},
		{"GET /api/v1/limits/192.0.2.7", "", 200, `"unlimited":true`},
		{"PUT /api/v1/limits/user:alice", `{"limit":-1}`, 400, "1 to 1000000000 pulls"},
		{"PUT /api/v1/limits/user:alice", `{"limit":1,"window":-1}`, 400, "from 1m to 31d"},
		{"PUT /api/v1/limits/user:alice", `{"limit":1,"window":59}`, 400, "from 1m to 31d"},
		{"PUT /api/v1/limits/user:alice", `{"limit":1,"window":9223372036854775807}`, 400, "from 1m to 31d"},
		{"PUT /api/v1/limits/user:alice", `{"limit":1,"expires":"2020-01-01T00:00:00Z"}`, 400, "expired"},
		{"PUT /api/v1/limits/user:alice", `{"pulls":1}`, 400, "not what this endpoint takes"},
		{"PUT /api/v1/limits/group:dev", `{"limit":1}`, 400, "not a key"},
		{"DELETE /api/v1/limits/user:alice", "", 204, ""},
		{"DELETE /api/v1/limits/user:alice", "", 404, "no limit is set"},
		{"DELETE /api/v1/limits/group:dev", "", 400, "not a key"},
		{"GET /api/v1/limits/user:alice", "", 200, `"limit":100,`},
	})
}

// TestOwnLimit is everybody's, also of who is not known.
func TestOwnLimit(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.pull(1, auth.Principal{Client: netip.MustParseAddr("192.0.2.1")})
	s.pull(2, auth.Principal{Kind: auth.User, Name: "alice", Groups: []string{"dev"}})
	for as, want := range map[string]string{
		"":                       `{"key":"192.0.2.1","source":"192.0.2.1","unlimited":false,"limit":2,"window":21600,"used":1,"remaining":1,`,
		basic("alice", password): `{"key":"user:alice","source":"alice","unlimited":false,"limit":100,"window":21600,"used":2,"remaining":98,`,
	} {
		if got := s.send(s.network, "GET /api/v1/limits/me", as, "").Body.String(); !strings.HasPrefix(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestUsage reports rows with the names that tokens have now.
func TestUsage(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	_, made, err := s.tokens.Add(t.Context(), personal.NewToken{Owner: "alice", Name: "laptop"}, s.now)
	s.must(err)
	hour := s.now.Truncate(time.Hour)
	key := metadata.UsageKey{Hour: hour, User: "user:alice", Repo: "public/app", Tag: "v1", Token: made.ID, Client: "192.0.2.1"}
	old := key
	old.Hour, old.Repo, old.Token = hour.Add(-48*time.Hour), "team/app", "gone"
	s.must(s.store.AddUsage(t.Context(), []metadata.Usage{{UsageKey: key, Pulls: 2, Checks: 3}, {UsageKey: old, Pulls: 1}}))
	from := old.Hour.Format(time.RFC3339)
	s.table([]row{
		{"GET /api/v1/usage", "", 200, `[{"hour":"` + hour.Format(time.RFC3339) + `","user_name":"alice","repository":"public/app","access_token_name":"laptop","ips":"192.0.2.1","repository_privacy":"public","tag":"v1","version_checks":3,"pulls":2}]`},
		{"GET /api/v1/usage?from=" + from, "", 200, `"repository":"team/app","access_token_name":"gone","ips":"192.0.2.1","repository_privacy":"private",`},
		{"GET /api/v1/usage?from=" + from + "&to=" + from, "", 200, "[]\n"},
		{"GET /api/v1/usage?from=yesterday", "", 400, "from is a time"},
		{"GET /api/v1/usage?to=now", "", 400, "to is a time"},
		{"GET /api/v1/usage.csv?from=yesterday", "", 400, "from is a time"},
	})
	var list []api.UsageRow
	s.must(json.Unmarshal(s.send(s.handler, "GET /api/v1/usage?from="+from, "", "").Body.Bytes(), &list))
	rec := s.send(s.handler, "GET /api/v1/usage.csv?from="+from, "", "")
	table, err := csv.NewReader(rec.Body).ReadAll()
	s.must(err)
	if len(list) != 2 || len(table) != 3 || table[0][0] != "datehour" || table[2][3] != "laptop" {
		t.Errorf("%v\n%v", list, table)
	}
}

// breaking is usage that cannot be read beyond a number of rows.
type breaking struct{ rows int }

func (b breaking) Usage(context.Context, time.Time, time.Time) iter.Seq2[metadata.Usage, error] {
	return func(yield func(metadata.Usage, error) bool) {
		for i := range b.rows {
			if !yield(metadata.Usage{UsageKey: metadata.UsageKey{Repo: fmt.Sprint("a", i)}}, nil) {
				return
			}
		}
		yield(metadata.Usage{}, errors.New("secret: the disk is gone"))
	}
}

func (breaking) Token(context.Context, string) (metadata.Token, error) {
	return metadata.Token{}, errors.New("the disk is gone")
}

// TestUsageBreaksOff answers 500, or cuts the connection if a part was sent: a
// half is not taken for the whole.
func TestUsageBreaksOff(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for _, path := range []string{"/api/v1/usage", "/api/v1/usage.csv"} {
		s.config.Usage = breaking{}
		s.open()
		if rec := s.send(s.handler, "GET "+path, "", ""); path == "/api/v1/usage" && (rec.Code != 500 || strings.Contains(rec.Body.String(), "secret")) {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
		s.config.Usage = breaking{5000}
		s.open()
		hs := httptest.NewServer(s.handler)
		req, err := http.NewRequestWithContext(t.Context(), "GET", hs.URL+path, nil)
		s.must(err)
		resp, err := hs.Client().Do(req)
		s.must(err)
		if _, err := io.Copy(io.Discard, resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s ended with %v", path, err)
		}
		resp.Body.Close()
		hs.Close()
	}
}

// TestClientOfLimits calls all that the commands need.
func TestClientOfLimits(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	c := serve(t, s.handler)
	ctx := t.Context()
	s.pull(2, auth.Principal{Kind: auth.User, Name: "alice", Groups: []string{"dev"}})
	s.pull(1, auth.Principal{Client: netip.MustParseAddr("2001:db8::1")})
	top, err := c.Limits(ctx, 1)
	s.must(err)
	one, err := c.Limit(ctx, "2001:db8::/64")
	s.must(err)
	s.must(c.ResetLimit(ctx, "user:alice"))
	s.must(c.SetLimit(ctx, "outside:gitlab:a/b:c", api.NewLimit{Limit: 7, Window: 60}))
	set, err := c.SetLimits(ctx)
	s.must(err)
	s.must(c.UnsetLimit(ctx, "outside:gitlab:a/b:c"))
	alice, err := c.Limit(ctx, "user:alice")
	s.must(err)
	if len(top) != 1 || top[0].Used != 2 || one.Used != 1 || len(set) != 1 || set[0].Key != "outside:gitlab:a/b:c" || set[0].Limit != 7 || alice.Used != 0 || alice.Limit != 100 {
		t.Errorf("%+v\n%+v\n%+v\n%+v", top, one, set, alice)
	}
	var rows []metadata.Usage
	for i := range 3000 {
		rows = append(rows, metadata.Usage{UsageKey: metadata.UsageKey{Hour: s.now.Truncate(time.Hour), User: fmt.Sprint("user:u", i), Repo: "a"}, Pulls: 1})
	}
	s.must(s.store.AddUsage(ctx, rows))
	n := 0
	for row, err := range c.Usage(ctx, s.now.Add(-time.Hour), s.now.Add(time.Second)) {
		s.must(err)
		if n++; row.Pulls != 1 || row.Repository != "a" {
			t.Errorf("%+v", row)
		}
	}
	for range c.Usage(ctx, s.now.Add(-time.Hour), s.now.Add(time.Second)) {
		break
	}
	if n != 3000 {
		t.Errorf("%d rows", n)
	}
	s.config.Usage = breaking{}
	s.open()
	for _, err := range serve(t, s.handler).Usage(ctx, s.now, s.now) {
		if err == nil || !strings.Contains(err.Error(), "internal error") {
			t.Errorf("%v", err)
		}
	}
	s.config.Usage = breaking{5000}
	s.open()
	var last error
	for _, err := range serve(t, s.handler).Usage(ctx, s.now, s.now) {
		last = err
	}
	if last == nil {
		t.Error("half a report was taken for the whole")
	}
}
