package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/config"
	"github.com/berth-registry/berth/ratelimit"
)

// limited is an instance with limits of its own and an image in public/app.
func limited(t *testing.T, more string) *instance {
	t.Helper()
	i := newInstance(t)
	i.write(t, "anonymous, authenticated", "")
	i.append(t, more)
	t.Setenv("BERTH_ADMIN_PASSWORD", "correct-horse")
	i.start(t, "http", http.DefaultClient)
	body := "{}"
	sum := sha256.Sum256([]byte(body))
	digest := "sha256:" + hex.EncodeToString(sum[:])
	i.push(t, "POST", "/v2/public/app/blobs/uploads/?digest="+digest, body)
	i.push(t, "PUT", "/v2/public/app/manifests/v1", fmt.Sprintf(
		`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/json","digest":%q,"size":2},"layers":[]}`, digest))
	return i
}

func (i *instance) append(t *testing.T, more string) {
	t.Helper()
	base, err := os.ReadFile(i.file)
	if err == nil {
		err = os.WriteFile(i.file, append(base, more...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (i *instance) push(t *testing.T, method, path, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+i.addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("admin", "correct-horse")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("%s %s: %s", method, path, resp.Status)
	}
}

// pull asks for the image as nobody, and returns the status and what is left.
func (i *instance) pull(t *testing.T) (status int, remaining string) {
	t.Helper()
	token, err := http.Get("http://" + i.addr + "/token?scope=repository:public/app:pull")
	if err != nil {
		t.Fatal(err)
	}
	defer token.Body.Close()
	var answer struct{ Token string }
	if err := json.NewDecoder(token.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+i.addr+"/v2/public/app/manifests/v1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+answer.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header.Get("Ratelimit-Remaining")
}

func (i *instance) pulls(t *testing.T, status int, remaining string) {
	t.Helper()
	if gotStatus, got := i.pull(t); gotStatus != status || got != remaining {
		t.Errorf("%d with %q left, want %d with %q", gotStatus, got, status, remaining)
	}
}

// TestLimitsOfARunningServer: a restart refills no quota, and the commands
// show and change what there is.
func TestLimitsOfARunningServer(t *testing.T) {
	i := limited(t, "ratelimit: {anonymous: 2, window: 24h}\n")
	i.pulls(t, 200, "1;w=86400")
	i.pulls(t, 200, "0;w=86400")
	i.pulls(t, 429, "0;w=86400")
	i.end(t)
	i.start(t, "http", http.DefaultClient)
	defer func() { i.end(t) }()
	i.pulls(t, 429, "0;w=86400")
	i.steps(t, nil, []step{
		{"", "limits", "127.0.0.1   2 per 1d   2      0           1d", ""},
		{"", "limits 127.0.0.1 -o json", `"remaining": 0`, ""},
		{"", "limits admin", "user:admin   200 per 1d   0      200         0s", ""},
		{"", "limits robot$ci", "robot:ci   unlimited   -", ""},
		{"", "limits group:dev", "", "not a key"},
		{"", "limits -o xml", "", "table or json"},
		{"", "limits reset 127.0.0.1", "", ""},
		{"", "limits overrides", "KEY   LIMIT   SET BY   SET   EXPIRES", ""},
	})
	i.pulls(t, 200, "1;w=86400")
	i.steps(t, nil, []step{
		{"", "limits set 127.0.0.1 5 --window 1h --for 24h", "", ""},
		{"", "limits overrides", "127.0.0.1   5 per 1h   admin socket", ""},
		{"", "limits set 127.0.0.1 many", "", "LIMIT must be a number of pulls or unlimited"},
		{"", "limits set 127.0.0.1 0x5", "", "LIMIT must be a number of pulls or unlimited"},
		{"", "limits set 127.0.0.1 5 --window 1s", "", "from 1m to 31d"},
		{"", "limits set 127.0.0.1 5 --window soon", "", "--window must be a duration"},
		{"", "limits set 127.0.0.1 5 --for ever", "", "--for must be a duration"},
	})
	i.pulls(t, 200, "3;w=3600")
	i.steps(t, nil, []step{{"", "limits set 127.0.0.1 unlimited", "", ""}})
	i.pulls(t, 200, "")
	i.steps(t, nil, []step{
		{"", "limits unset 127.0.0.1", "", ""},
		{"", "limits unset 127.0.0.1", "", "no limit is set"},
		{"", "limits 127.0.0.1", "2 per 1d   2      0", ""},
	})

	i.end(t) // usage is written out
	i.start(t, "http", http.DefaultClient)
	i.steps(t, nil, []step{
		{"", "usage", "public/app   v1    127.0.0.1   0        5", ""},
		{"", "usage --csv --from 7d", "datehour,user_name,repository,access_token_name,ips,repository_privacy,tag,digest,version_checks,pulls\n", ""},
		{"", "usage --csv", ",,public/app,,127.0.0.1,public,v1,sha256:", ""},
		{"", "usage -o json --from 2020-01-01 --to 2020-01-02T00:00:00Z", "[]", ""},
		{"", "usage --from then", "", "--from is how long ago"},
		{"", "usage --to 2026-13-01", "", "--to is how long ago"},
		{"", "usage -o xml", "", "table or json"},
	})
	resp, err := http.Get("http://" + i.addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	metrics, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(metrics), "berth_pull_keys 1\n") {
		t.Errorf("%v\n%s", err, metrics)
	}
}

// TestReloadOfLimits puts other limits in force, and keeps what was counted.
func TestReloadOfLimits(t *testing.T) {
	i := newInstance(t)
	i.write(t, "authenticated", "")
	base, err := os.ReadFile(i.file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(i.file, nil)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	r, err := wire(c, logger)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	alice := auth.Principal{Kind: auth.User, Name: "alice", Groups: []string{"dev"}}
	for _, tt := range []struct{ limits, limit, says string }{
		{"ratelimit: {authenticated: 7}", "7 per 6h", "reloaded"},
		{"ratelimit: {window: 1h, overrides: [{who: ['group:dev'], limit: 9}, {who: ['user:alice'], limit: 500, window: 24h}]}", "500 per 1d", "reloaded"},
		{"ratelimit: {overrides: [{who: ['group:dev'], limit: unlimited}]}", "unlimited", "reloaded"},
		{"ratelimit: {authenticated: -7}", "unlimited", "the old one stays"},
		{"ratelimit: {overrides: [{who: [everybody], limit: 1}]}", "unlimited", "the old one stays"},
		{"ratelimit: {window: 1s}", "unlimited", "the old one stays"},
		{"ratelimit: {count: every-manifest}", "200 per 6h", "reloaded"},
		{"ratelimit: {enabled: false}", "unlimited", "reloaded"},
	} {
		if err := os.WriteFile(i.file, []byte(string(base)+tt.limits+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		log.Reset()
		r.reload(func() (config.Config, error) { return config.Load(i.file, nil) }, new(slog.LevelVar), logger)
		if got := r.limits.pulls.Limit(alice, time.Now()); got.String() != tt.limit || !strings.Contains(log.String(), tt.says) || strings.Contains(log.String(), "restart") {
			t.Errorf("%s: %v, want %s; %s", tt.limits, got, tt.limit, log.String())
		}
	}
	if got := r.limits.pulls.Window(); got != 6*time.Hour || ratelimit.MinWindow > got {
		t.Errorf("%v", got)
	}
}

// TestCheckConfigNotes says which of two overrides wins.
func TestCheckConfigNotes(t *testing.T) {
	i := newInstance(t)
	i.write(t, "authenticated", "")
	i.append(t, "ratelimit:\n  overrides:\n    - {who: ['robot:*'], limit: 100}\n    - {who: ['robot:ci'], limit: 50}\n")
	out, err := i.run("", "check-config")
	if err != nil || !strings.Contains(out, "note: "+i.file+":10:14: ratelimit.overrides[1].who[0]: robot:ci overlaps robot:*") || !strings.Contains(out, "is good") {
		t.Errorf("%v\n%s", err, out)
	}
}

// page returns the status and the body of a page.
func (i *instance) page(t *testing.T, path string) (int, string) {
	t.Helper()
	resp, err := http.Get("http://" + i.addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestRedisIsAway goes on with the limit of each process, or refuses, as the
// configuration says.
func TestRedisIsAway(t *testing.T) {
	i := limited(t, "ratelimit: {anonymous: 2, window: 24h}\nredis: {url: 'unix:///nowhere/redis.sock'}\n")
	i.pulls(t, 200, "1;w=86400")
	i.pulls(t, 200, "0;w=86400")
	i.pulls(t, 429, "0;w=86400")
	_, metrics := i.page(t, "/metrics")
	if !strings.Contains(metrics, "berth_pull_redis_down 1\n") || strings.Contains(metrics, "berth_pull_redis_errors_total 0\n") {
		t.Error("the alert metrics did not move")
	}
	if status, _ := i.page(t, "/readyz"); status != http.StatusOK {
		t.Errorf("not ready: %d", status)
	}
	i.end(t)
}

func TestRedisIsAwayAndNeeded(t *testing.T) {
	i := limited(t, "ratelimit: {anonymous: 2, window: 24h}\n")
	i.end(t)
	i.append(t, "redis: {url: 'unix:///nowhere/redis.sock', on_error: deny}\n")
	ctx, stop := context.WithCancel(t.Context())
	i.stop, i.ended = stop, make(chan error, 1)
	go func() {
		cmd := root()
		cmd.SetArgs([]string{"serve", "--config", i.file})
		i.ended <- cmd.ExecuteContext(ctx)
	}()
	defer i.end(t)
	for deadline := time.Now().Add(20 * time.Second); ; {
		if resp, err := http.Get("http://" + i.addr + "/healthz"); err == nil {
			resp.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("does not serve")
		}
		time.Sleep(10 * time.Millisecond) // polling, bounded by the deadline
	}
	i.pulls(t, 503, "")
	if status, body := i.page(t, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, `"redis":"failed"`) {
		t.Errorf("%d %s", status, body)
	}
}
