package usage_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/metadata/bolt"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/ratelimit/usage"
)

var (
	ctx    = context.Background()
	start  = time.Date(2026, 11, 23, 7, 30, 0, 0, time.UTC)
	digest = oci.FromBytes(oci.SHA256, nil)
	v1     = oci.Reference{Tag: "v1"}
	by     = oci.Reference{Digest: digest}
	alice  = auth.Principal{Kind: auth.User, Name: "alice", Client: netip.MustParseAddr("192.0.2.1")}
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(filepath.Join(t.TempDir(), "berth.db"), bolt.Options{})
	ok(t, err)
	t.Cleanup(func() { ok(t, s.Close()) })
	return s
}

func stored(t *testing.T, s metadata.Usages) (list []metadata.Usage) {
	t.Helper()
	for u, err := range s.Usage(ctx, time.Time{}, start.AddDate(1, 0, 0)) {
		ok(t, err)
		list = append(list, u)
	}
	return list
}

func TestRecorder(t *testing.T) {
	s := open(t)
	r := usage.NewRecorder(s)
	token, robot := alice, auth.Principal{Kind: auth.Robot, Name: "ci", Credential: "x"}
	token.Credential = "id"
	for range 3 {
		r.Checked(alice, "a", v1, digest, start)
		r.Pulled(alice, "a", by, digest, start.Add(29*time.Minute))
	}
	r.Pulled(token, "a", by, digest, start)
	r.Pulled(robot, "a", by, digest, start)
	r.Pulled(auth.Principal{Client: alice.Client}, "b", by, digest, start.Add(30*time.Minute))
	ok(t, r.Flush(ctx, start.Add(31*time.Minute)))
	r.Pulled(alice, "a", by, digest, start.Add(29*time.Minute)) // a little late
	r.Enable(false)
	r.Pulled(alice, "a", by, digest, start)
	ok(t, r.Flush(ctx, start.Add(32*time.Minute)))
	ok(t, r.Flush(ctx, start.Add(33*time.Minute)))
	var got []string
	for _, u := range stored(t, s) {
		got = append(got, fmt.Sprintf("%s %s %s tag=%s token=%s %s %.9s: %d %d", u.Hour.Format("15:04"), u.User, u.Repo, u.Tag, u.Token, u.Client, u.Digest, u.Pulls, u.Checks))
	}
	want := strings.Split(`07:00 robot:ci a tag= token=  sha256:e3: 1 0
07:00 user:alice a tag= token= 192.0.2.1 sha256:e3: 4 0
07:00 user:alice a tag= token=id 192.0.2.1 sha256:e3: 1 0
07:00 user:alice a tag=v1 token= 192.0.2.1 sha256:e3: 0 3
08:00 anonymous b tag= token= 192.0.2.1 sha256:e3: 1 0`, "\n")
	for _, line := range want {
		if !strings.Contains(strings.Join(got, "\n")+"\n", line+"\n") {
			t.Errorf("no %s", line)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d rows:\n%s", len(got), strings.Join(got, "\n"))
	}
}

// full is a store that takes nothing while it is full.
type full struct {
	metadata.Usages
	full bool
}

var errFull = errors.New("full")

func (f *full) AddUsage(ctx context.Context, rows []metadata.Usage) error {
	if f.full {
		return errFull
	}
	return f.Usages.AddUsage(ctx, rows)
}

// TestFlushFails loses nothing.
func TestFlushFails(t *testing.T) {
	s := &full{open(t), true}
	r := usage.NewRecorder(s)
	for range 2 {
		r.Pulled(alice, "a", by, digest, start)
		if err := r.Flush(ctx, start.Add(time.Hour)); !errors.Is(err, errFull) {
			t.Fatal(err)
		}
	}
	s.full = false
	ok(t, r.Flush(ctx, start.Add(2*time.Hour)))
	ok(t, r.Flush(ctx, start.Add(2*time.Hour)))
	if got := stored(t, s); len(got) != 1 || got[0].Pulls != 2 || got[0].Hour != start.Truncate(time.Hour) {
		t.Errorf("%+v", got)
	}
}

// TestBound has somebody with very many addresses: all is counted, not all in
// detail, and other users still are.
func TestBound(t *testing.T) {
	s := open(t)
	r := usage.NewRecorder(s)
	const many = 30_000
	for i := range many {
		r.Pulled(auth.Principal{Client: netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})}, "a", by, digest, start)
	}
	for i := range many {
		r.Pulled(auth.Principal{Kind: auth.User, Name: fmt.Sprint("u", i)}, "a", by, digest, start)
	}
	ok(t, r.Flush(ctx, start))
	pulls, rows := int64(0), stored(t, s)
	for _, u := range rows {
		pulls += u.Pulls
	}
	if pulls != 2*many || len(rows) > 20_010 {
		t.Errorf("%d pulls in %d rows", pulls, len(rows))
	}
	ok(t, r.Flush(ctx, start.Add(time.Hour))) // the next hour has room again
	r.Pulled(alice, "a", v1, digest, start.Add(time.Hour))
	ok(t, r.Flush(ctx, start.Add(time.Hour)))
	if rows = stored(t, s); rows[len(rows)-1].Tag != "v1" {
		t.Errorf("%+v", rows[len(rows)-1])
	}
}

func TestPrune(t *testing.T) {
	s := open(t)
	r := usage.NewRecorder(s)
	for i := range 2500 {
		r.Pulled(auth.Principal{Kind: auth.User, Name: fmt.Sprint("u", i)}, "a", by, digest, start)
	}
	r.Pulled(alice, "a", by, digest, start.Add(time.Hour))
	ok(t, r.Flush(ctx, start))
	ok(t, r.Prune(ctx, start.Truncate(time.Hour).Add(usage.Keep)))
	if n := len(stored(t, s)); n != 2501 {
		t.Errorf("%d rows", n)
	}
	ok(t, r.Prune(ctx, start.Truncate(time.Hour).Add(usage.Keep+time.Minute)))
	if rows := stored(t, s); len(rows) != 1 || rows[0].User != "user:alice" {
		t.Errorf("%+v", rows)
	}
}

func TestRecordingAllocatesNothing(t *testing.T) {
	r := usage.NewRecorder(open(t))
	record := func() {
		r.Pulled(alice, "a", by, digest, start)
		r.Checked(alice, "a", v1, digest, start)
	}
	record()
	if n := testing.AllocsPerRun(1000, record); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAtOnce(t *testing.T) {
	s := open(t)
	r := usage.NewRecorder(s)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 50 {
				r.Pulled(alice, "a", by, digest, start)
				if i%10 == 0 {
					ok(t, r.Flush(ctx, start))
				}
			}
		})
	}
	wg.Wait()
	ok(t, r.Flush(ctx, start))
	if got := stored(t, s); len(got) != 1 || got[0].Pulls != 400 {
		t.Errorf("%+v", got)
	}
}

func TestReport(t *testing.T) {
	lookups := 0
	names := usage.Names{
		Token: func(id string) (string, error) {
			lookups++
			return map[string]string{"1": "laptop", "2": "=cmd()", "4": "a,b\nc"}[id], nil
		},
		Public: func(repo string) bool { return repo == "public/app" },
	}
	row := func(user, repo, token string) metadata.Usage {
		return metadata.Usage{UsageKey: metadata.UsageKey{Hour: start.Truncate(time.Hour), User: user, Repo: repo, Token: token}, Pulls: 2, Checks: 3}
	}
	first := row("user:alice", "public/app", "1")
	first.Tag, first.Client, first.Digest = "v1", "2001:db8::1", digest
	rows := []metadata.Usage{first, row("user:alice", "team/app", "1"), row("robot:ci", "team/app", ""), row("outside:gitlab:-1", "a", ""),
		row("anonymous", "a", ""), row("user:alice", "a", "2"), row("user:alice", "a", "3"), row("user:alice", "a", "4"), row("user:", "", "")}
	var out strings.Builder
	ok(t, usage.WriteCSV(&out, names.Rows(sequence(rows, nil))))
	want := `datehour,user_name,repository,access_token_name,ips,repository_privacy,tag,digest,version_checks,pulls
2026/11/23/07,alice,public/app,laptop,2001:db8::1,public,v1,` + string(digest) + `,3,2
2026/11/23/07,alice,team/app,laptop,,private,,,3,2
2026/11/23/07,robot$ci,team/app,,,private,,,3,2
2026/11/23/07,gitlab:-1,a,,,private,,,3,2
2026/11/23/07,,a,,,private,,,3,2
2026/11/23/07,alice,a,'=cmd(),,private,,,3,2
2026/11/23/07,alice,a,3,,private,,,3,2
2026/11/23/07,alice,a,"a,b
c",,private,,,3,2
2026/11/23/07,,,,,,,,3,2
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	if lookups != 4 {
		t.Errorf("%d lookups of 4 tokens", lookups)
	}
	if err := usage.WriteCSV(&out, names.Rows(sequence(rows, errFull))); !errors.Is(err, errFull) {
		t.Errorf("%v", err)
	}
	names.Token = func(string) (string, error) { return "", errFull }
	if err := usage.WriteCSV(&out, names.Rows(sequence(rows, nil))); !errors.Is(err, errFull) {
		t.Errorf("%v", err)
	}
}

func sequence(rows []metadata.Usage, err error) iter.Seq2[metadata.Usage, error] {
	return func(yield func(metadata.Usage, error) bool) {
		for _, u := range rows {
			if !yield(u, nil) {
				return
			}
		}
		if err != nil {
			yield(metadata.Usage{}, err)
		}
	}
}
