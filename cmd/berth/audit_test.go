package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/api"
)

// auditLines reads the audit trail, each line as "action outcome principal account
// request".
func auditLines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		var e api.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Errorf("%v: %q", err, line)
		}
		all = append(all, strings.Join(strings.Fields(string(e.Action)+" "+string(e.Outcome)+" "+e.Principal+" "+e.Account+" "+e.Request), " "))
	}
	return all
}

// waitFor waits until the last line of the trail is this one.
func waitFor(t *testing.T, path, last string) []string {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		if _, err := os.Stat(path); err == nil {
			if all := auditLines(t, path); len(all) > 0 && all[len(all)-1] == last {
				return all
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: no %q at its end", path, last)
		}
		time.Sleep(5 * time.Millisecond) // polling, bounded by the deadline
	}
}

// TestAuditTrail: what is done at a running server stands in the file when it is
// answered, goes on in another one after a SIGHUP, and is shown by the command.
func TestAuditTrail(t *testing.T) {
	i := newInstance(t)
	trail := filepath.Join(i.dir, "log/audit.log")
	t.Setenv("BERTH_LOG_AUDIT", trail)
	i.write(t, "anonymous", "")
	i.start(t, "http", http.DefaultClient)
	i.steps(t, nil, []step{{"correct-horse\n", "user add alice --password-stdin --group dev", "", ""}})
	want := []string{"admin ok admin socket addUser"}
	wrong := 0
	for i.login(t, "alice", fmt.Sprint("wrong-", wrong)) == http.StatusUnauthorized { // three of them, or a slow machine
		wrong++
		want = append(want, "login denied anonymous user:alice")
	}
	if want = append(want, "login delayed anonymous user:alice"); wrong < 3 {
		t.Errorf("delayed after %d", wrong)
	}
	if got := auditLines(t, trail); strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("the trail is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if info, err := os.Stat(trail); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}

	i.steps(t, nil, []step{
		{"", "audit", "TIME", ""},
		{"", "audit", "anonymous as user:alice   127.0.0.1   login    -            -           delayed   too many wrong logins: try again in ", ""},
		{"", "audit --action admin", "admin socket   -      admin    -            alice       ok        addUser groups dev", ""},
		{"", "audit --principal alice -n 1 -o json", `"account": "user:alice"`, ""},
		{"", "audit --outcome delayed --since 1h", "delayed", ""},
		{"", "audit --repository team/** -o json", "[]", ""},
		{"", "audit --action fly", "", "no action"},
		{"", "audit --since yesterday", "", "--since"},
		{"", "audit -n -1", "", "n is a number"},
		{"", "audit -o xml", "", "table or json"},
	})
	i.countsLogins(t, wrong)

	old := trail + ".1"
	if err := os.Rename(trail, old); err != nil {
		t.Fatal(err)
	}
	hangUp(t)
	waitFor(t, trail, "admin ok process reload")
	if err := os.WriteFile(i.file, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	hangUp(t)
	waitFor(t, trail, "admin failed process reload")
	if got := auditLines(t, old); len(got) != len(want) {
		t.Errorf("the old file goes on: %v", got[len(want):])
	}
	i.write(t, "anonymous", "")
	i.end(t)

	i.start(t, "http", http.DefaultClient) // another process remembers nothing; the file stays
	i.steps(t, nil, []step{{"", "audit -o json", "[]", ""}})
	i.end(t)
	if got := auditLines(t, trail); len(got) != 2 {
		t.Errorf("%v", got)
	}
}

// countsLogins looks at the metrics: counts, and no name.
func (i *instance) countsLogins(t *testing.T, wrong int) {
	t.Helper()
	_, text := i.get(t, "/metrics", "")
	for _, want := range []string{
		fmt.Sprintf(`berth_logins_total{credential="password",outcome="denied"} %d`, wrong), `berth_logins_total{credential="password",outcome="delayed"} 1`,
		`berth_wrong_logins{of="account"} 1`, `berth_wrong_logins{of="network"} 1`,
		fmt.Sprintf(`berth_audit_lines_total{result="written"} %d`, wrong+2), `berth_audit_lines_total{result="failed"} 0`, `berth_audit_lines_total{result="dropped"} 0`,
		`berth_audit_lines_total{result="late"} 0`, `berth_audit_lines_total{result="suppressed"} 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(text, "alice") || strings.Contains(text, "127.0.0.1") {
		t.Error("the metrics have names")
	}
}

// TestAuditOfPersonalTokens: a personal token that comes as a Bearer is a login,
// with where it came from, and counts as one.
func TestAuditOfPersonalTokens(t *testing.T) {
	i := newInstance(t)
	trail := filepath.Join(i.dir, "audit.log")
	t.Setenv("BERTH_LOG_AUDIT", trail)
	i.write(t, "anonymous", "")
	i.start(t, "http", http.DefaultClient)
	defer i.end(t)
	token := i.made(t, "token", "add", "cli", "--owner", "admin")
	for _, bearer := range []string{token, token + "x"} {
		if _, err := i.run("", "user", "list", "--server", "http://"+i.addr, "--token", bearer); (err == nil) != (bearer == token) {
			t.Errorf("%v", err)
		}
	}
	want := []string{"admin ok admin socket addToken", "login ok user:admin", "login denied anonymous"}
	if got := auditLines(t, trail); strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("the trail is %q, want %q", got, want)
	}
	i.steps(t, nil, []step{{"", "audit --action login --outcome ok", "user:admin   127.0.0.1   login", ""}})
	_, metrics := i.get(t, "/metrics", "")
	for _, outcome := range []string{"ok", "denied"} {
		if count := `berth_logins_total{credential="personal_token",outcome="` + outcome + `"} 1` + "\n"; !strings.Contains(metrics, count) {
			t.Errorf("no %s", count)
		}
	}
}

// TestAuditTrailThatCannotBe: a trail that cannot be opened is a failed start.
func TestAuditTrailThatCannotBe(t *testing.T) {
	i := newInstance(t)
	i.write(t, "anonymous", "")
	t.Setenv("BERTH_LOG_AUDIT", i.dir)
	if _, err := i.run("", "serve"); err == nil || !strings.Contains(err.Error(), "log.audit: "+i.dir+" is no file to write to") {
		t.Errorf("%v", err)
	}
}
