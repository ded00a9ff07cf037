package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/berth-registry/berth/api"
)

// step is a command and what it writes; of an error a part of its text.
type step struct {
	stdin, args, out, err string
}

func (i *instance) steps(t *testing.T, more []string, steps []step) {
	t.Helper()
	for _, s := range steps {
		out, err := i.run(s.stdin, append(strings.Fields(s.args), more...)...)
		if (err == nil) != (s.err == "") || err != nil && !strings.Contains(err.Error(), s.err) || !strings.Contains(out, s.out) {
			t.Errorf("berth %s: %v\n%s", s.args, err, out)
		}
	}
}

// made runs a command that makes a secret and returns the secret, which
// stands alone on standard output.
func (i *instance) made(t *testing.T, args ...string) string {
	t.Helper()
	var out, told bytes.Buffer
	cmd := root()
	cmd.SetOut(&out)
	cmd.SetErr(&told)
	cmd.SetArgs(append(args, "--config", i.file))
	if err := cmd.Execute(); err != nil {
		t.Fatalf("berth %v: %v", args, err)
	}
	secret := strings.TrimSuffix(out.String(), "\n")
	if strings.ContainsAny(secret, " \n") || len(secret) < 40 || strings.Contains(told.String(), secret) || !strings.Contains(told.String(), "shown once") {
		t.Errorf("berth %v: %q, told %q", args, out.String(), told.String())
	}
	return secret
}

// TestAccessOfARunningServer goes through robots, personal tokens, htpasswd
// and explain as an administrator does, over the socket.
func TestAccessOfARunningServer(t *testing.T) {
	i := newInstance(t)
	i.write(t, `anonymous, "group:dev", 10.0.0.0/8`, "")
	i.start(t, "http", http.DefaultClient)
	defer i.end(t)

	secret := i.made(t, "robot", "add", "ci", "--grant", "team/**:pull,push", "--expires", "90d")
	if got := i.login(t, "robot$ci", secret); got != http.StatusOK {
		t.Errorf("the robot: %d", got)
	}
	i.steps(t, nil, []step{
		{"", "robot add ci", "", "exists already"},
		{"", "robot add x --grant team", "", "PATTERN:ACTIONS"},
		{"", "robot add x --expires soon", "", "--expires"},
		{"", "robot add x -o xml", "", "table or json"},
		{"", "robot list", "ci     enabled   team/**:pull,push", ""},
		{"", "robot list -o json", `"rules": [`, ""},
		{"", "robot disable ci", "", ""},
		{"", "robot list", "disabled", ""},
	})
	if got := i.login(t, "robot$ci", secret); got != http.StatusUnauthorized {
		t.Errorf("the disabled robot: %d", got)
	}
	i.steps(t, nil, []step{{"", "robot enable ci", "", ""}, {"", "robot enable nobody", "", "no such robot"}})
	renewed := i.made(t, "robot", "secret", "ci")
	if old, now := i.login(t, "robot$ci", secret), i.login(t, "robot$ci", renewed); old != http.StatusUnauthorized || now != http.StatusOK {
		t.Errorf("the old secret: %d, the new one: %d", old, now)
	}

	i.steps(t, nil, []step{
		{"correct-horse\n", "user add alice --password-stdin --group dev", "", ""},
		{"", "user groups alice --group dev --group ops", "", ""},
		{"", "user list", "dev,ops", ""},
		{"", "user groups alice", "", "--none"},
		{"", "user groups alice --none --group x", "", "--none"},
		{"", "user groups nobody --none", "", "no such user"},
	})
	token := i.made(t, "token", "add", "laptop", "--owner", "alice", "--grant", "team/**:pull")
	if got := i.login(t, "alice", token); got != http.StatusOK {
		t.Errorf("the personal token: %d", got)
	}
	list, err := i.run("", "token", "list", "--owner", "alice", "-o", "json")
	var tokens []api.Token
	if err != nil || json.Unmarshal([]byte(list), &tokens) != nil || len(tokens) != 1 {
		t.Fatalf("%v %s", err, list)
	}
	i.steps(t, nil, []step{
		{"", "token list", "laptop   team/**:pull   never", ""},
		{"", "token add laptop --owner alice", "", "of this name already"},
		{"", "token add x", "", "owner is missing"},
		{"", "token add x --owner nobody", "", "no such user"},
		{"", "token revoke " + tokens[0].ID, "", ""},
		{"", "token revoke " + tokens[0].ID, "", "no such token"},

		{"", "explain --user alice pull public/app", "user:alice in dev, ops may pull on public/app\n  grant 1: ", ""},
		{"", "explain --user alice pull,push public/app", "may not pull,push on public/app\n  missing: push\n  no grant lets user:alice push here", ""},
		{"", "explain --robot ci push team/app", "robot:ci may push on team/app\n  its own rule team/**:pull,push", ""},
		{"", "explain --group dev pull public/app", "a user in dev may pull on public/app", ""},
		{"", "explain --robot ci --client 10.1.1.1 pull public/app", "robot:ci from 10.1.1.1 may pull on public/app", ""},
		{"", "explain --robot ci --client 11.1.1.1 pull public/app", "robot:ci from 11.1.1.1 may not pull on public/app\n  no grant lets robot:ci pull here\n", ""},
		{"", "explain pull public/app", "anonymous may pull on public/app", ""},
		{"", "explain --user alice pull public/app -o json", `"allowed": true`, ""},
		{"", "explain --user nobody pull public/app", "", "no such user"},
		{"", "explain --user alice read public/app", "", "an action is"},
	})
	if got := i.login(t, "alice", token); got != http.StatusUnauthorized {
		t.Errorf("the revoked token: %d", got)
	}
}

func TestHtpasswdImport(t *testing.T) {
	i := newInstance(t)
	i.write(t, "anonymous", "")
	i.start(t, "http", http.DefaultClient)
	defer i.end(t)
	hash, err := bcrypt.GenerateFromPassword([]byte("correct-horse"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	good, bad := filepath.Join(i.dir, "good"), filepath.Join(i.dir, "bad")
	for path, text := range map[string]string{
		good: "erin:" + string(hash) + "\n",
		bad:  "# x\nerin:" + string(hash) + "\nfrank:" + string(hash) + "\nmd5:$apr1$hunter2\nhunter2\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	i.steps(t, nil, []step{
		{"", "htpasswd import " + good, "added erin\n", ""},
		{"", "htpasswd import " + bad, "added frank\n" + bad + ":2: skipped erin: this user exists already\n" +
			bad + ":4: skipped md5: invalid: the hash is not bcrypt's (htpasswd -B makes such)\n" + bad + ":5: skipped a line: ", "3 of 4 users were not added"},
		{"gina:" + string(hash), "htpasswd import -", "added gina", ""},
		{"", "htpasswd import " + bad + " -o json", `"line": 2`, "4 of 4"},
		{"", "htpasswd import " + i.dir + "/none", "", "no such file"},
		{strings.Repeat("#\n", 1<<20), "htpasswd import -", "", "larger than"},
	})
	for _, name := range []string{"erin", "frank", "gina"} {
		if got := i.login(t, name, "correct-horse"); got != http.StatusOK {
			t.Errorf("%s: %d", name, got)
		}
	}
}

// TestCommandsOverTheNetwork: with a personal token commands need no socket
// and no configuration, and may what the token may.
func TestCommandsOverTheNetwork(t *testing.T) {
	i := newInstance(t)
	i.write(t, "anonymous", "")
	i.start(t, "http", http.DefaultClient)
	defer i.end(t)
	if _, err := i.run("correct-horse\n", "user", "add", "alice", "--password-stdin"); err != nil {
		t.Fatal(err)
	}
	admins := i.made(t, "token", "add", "cli", "--owner", "admin")
	narrow := i.made(t, "token", "add", "narrow", "--owner", "admin", "--grant", "**:*")
	alices := i.made(t, "token", "add", "cli", "--owner", "alice")
	file := filepath.Join(i.dir, "token")
	if err := os.WriteFile(file, []byte(admins+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	elsewhere := *i
	elsewhere.file = filepath.Join(i.dir, "no-such-configuration.yaml")
	server := []string{"--server", "http://" + i.addr}
	elsewhere.steps(t, append(server, "--token", "@"+file), []step{
		{"", "user list", "alice", ""},
		{"", "robot list", "NAME", ""},
		{"", "explain --user alice pull a", "may not", ""},
		{"", "token list", "cli", ""},
		{"correct-horse\n", "user add bob --password-stdin", "", ""},
	})
	elsewhere.steps(t, append(server, "--token", narrow), []step{
		{"", "user list", "", "only an administrator"},
		{"", "token list", "", "narrows"},
	})
	elsewhere.steps(t, append(server, "--token", alices), []step{
		{"", "token list", "cli", ""},
		{"", "user list", "", "only an administrator"},
		{"", "token list --owner admin", "", "only an administrator"},
		{"", "token add more", "", "password itself"},
	})
	elsewhere.steps(t, server, []step{{"", "user list", "", "no credentials"}})
	elsewhere.steps(t, append(server, "--token", "@"+file+".not"), []step{{"", "user list", "", "--token"}})
	elsewhere.steps(t, []string{"--server", "unix://" + filepath.Join(i.dir, "admin/s")}, []step{{"", "user list", "alice", ""}})
	i.steps(t, []string{"--token", admins}, []step{{"", "user list", "", "--token needs --server"}})
	t.Setenv(tokenVariable, admins)
	elsewhere.steps(t, server, []step{{"", "user list", "alice", ""}})
	i.steps(t, nil, []step{{"", "check-config", "is good", ""}}) // which the variable does not disturb
}

// TestAudiences: a token of the registry opens nothing of the API, and none of
// the API the registry.
func TestAudiences(t *testing.T) {
	i := newInstance(t)
	i.write(t, "anonymous", "")
	i.start(t, "http", http.DefaultClient)
	defer i.end(t)
	first, err := os.ReadFile(filepath.Join(i.dir, "initial-admin-password"))
	if err != nil {
		t.Fatal(err)
	}
	password := strings.TrimSpace(string(first))
	registry := i.tokenFrom(t, http.MethodGet, "/token?scope=registry:catalog:*", password)
	session := i.tokenFrom(t, http.MethodPost, "/api/v1/session", password)
	for path, want := range map[string][2]int{
		"/v2/": {200, 401}, "/v2/_catalog": {200, 401}, "/v1/search?q=": {200, 401},
		"/api/v1/me": {401, 200}, "/api/v1/users": {401, 200}, "/api/v1/openapi.json": {200, 200}, "/api/v1/nothing": {404, 404}, "/api/": {404, 404},
	} {
		for n, token := range []string{registry, session} {
			if got, _ := i.get(t, path, "Bearer "+token); got != want[n] {
				t.Errorf("%s with token %d: %d, want %d", path, n, got, want[n])
			}
		}
	}
	if _, metrics := i.get(t, "/metrics", ""); !strings.Contains(metrics, `berth_http_requests_total{kind="api",status="200"}`) {
		t.Error("the API is not in the metrics")
	}
}

// tokenFrom returns the token that an endpoint gives the administrator.
func (i *instance) tokenFrom(t *testing.T, method, path, password string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+i.addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("admin", password)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ Token string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Token == "" {
		t.Fatalf("%s: %d %v", path, resp.StatusCode, err)
	}
	return answer.Token
}

func (i *instance) get(t *testing.T, path, authorization string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, "http://"+i.addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	return answer(t, req)
}

// answer sends a request and returns the status and the body of what comes back.
func answer(t *testing.T, req *http.Request) (status int, body string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// TestReloadOfKeys adds a key, lets it sign, and takes the first away.
func TestReloadOfKeys(t *testing.T) {
	i := newInstance(t)
	i.write(t, "anonymous", "")
	i.start(t, "http", http.DefaultClient)
	defer i.end(t)
	old, next := filepath.Join(i.dir, "token.key"), filepath.Join(i.dir, "next.key")
	key, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	token := "Bearer " + i.anonymous(t)
	if status, _ := i.get(t, "/v2/", token); status != http.StatusOK {
		t.Fatalf("%d", status)
	}
	for _, step := range []struct {
		keys   string
		count  int
		status int // of the first token
	}{
		{"[" + next + ", " + old + "]", 2, http.StatusOK}, // next is made
		{next, 1, http.StatusUnauthorized},
	} {
		i.rewrite(t, func(text string) string {
			before, rest, _ := strings.Cut(text, "auth: {key: ")
			_, after, _ := strings.Cut(rest, ", grants")
			return before + "auth: {key: " + step.keys + ", grants" + after
		})
		hangUp(t)
		i.eventually(t, func() bool {
			_, set := i.get(t, "/.well-known/jwks.json", "")
			return strings.Count(set, `"kid"`) == step.count
		})
		if status, _ := i.get(t, "/v2/", token); status != step.status {
			t.Errorf("with %d keys the first token: %d", step.count, status)
		}
		if status, _ := i.get(t, "/v2/", "Bearer "+i.anonymous(t)); status != http.StatusOK {
			t.Errorf("with %d keys a new token: %d", step.count, status)
		}
	}
	if now, err := os.ReadFile(old); err != nil || !bytes.Equal(now, key) {
		t.Errorf("the first key was touched: %v", err)
	}
}

func (i *instance) anonymous(t *testing.T) string {
	t.Helper()
	_, body := i.get(t, "/token", "")
	var answer struct{ Token string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Token
}

func (i *instance) rewrite(t *testing.T, change func(string) string) {
	t.Helper()
	text, err := os.ReadFile(i.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(i.file, []byte(change(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
}

// eventually waits for what a signal does.
func (i *instance) eventually(t *testing.T, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); {
		if time.Now().After(deadline) {
			t.Fatal("nothing happens")
		}
	}
}
