package audit

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
)

// recorded is a Recorder that keeps all.
type recorded []Entry

func (r *recorded) Record(e Entry) { *r = append(*r, e) }

// answer is a verifier that says one thing.
type answer struct {
	p   auth.Principal
	err error
}

func (a answer) Login(context.Context, auth.Credentials, time.Time) (auth.Principal, error) {
	return a.p, a.err
}

const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwcm9qZWN0X3BhdGg6YS9iIn0.c2lnbmF0dXJlc2lnbmF0dXJl"

func TestLogins(t *testing.T) {
	here := netip.MustParseAddr("192.0.2.1")
	alice := auth.Principal{Kind: auth.User, Name: "alice"}
	personal := auth.Principal{Kind: auth.User, Name: "alice", Credential: "k3"}
	robot := auth.Principal{Kind: auth.Robot, Name: "ci"}
	outside := auth.Principal{Kind: auth.Outside, Name: "gitlab:a/b"}
	tooSoon := &auth.DelayError{Wait: 3 * time.Second}
	for _, test := range []struct {
		name, secret string
		answer       answer
		want         string // principal, credential, id, outcome, account, detail
	}{
		{"alice", "hunter22", answer{p: alice}, "user:alice password  ok  "},
		{"alice", "berth_pat_k3_x", answer{p: personal}, "user:alice personal_token k3 ok  "},
		{"robot$ci", "hunter22", answer{p: robot}, "robot:ci robot_secret  ok  "},
		{"any", jwt, answer{p: outside}, "outside:gitlab:a/b outside_token  ok  "},
		{"alice", "hunter22", answer{err: auth.ErrBadCredentials}, "anonymous password  denied user:alice "},
		{"alice", "berth_pat_k3_x", answer{err: auth.ErrBadCredentials}, "anonymous personal_token  denied user:alice "},
		{"robot$ci", "hunter22", answer{err: auth.ErrBadCredentials}, "anonymous robot_secret  denied robot:ci "},
		{"gitlab", jwt, answer{err: auth.ErrBadCredentials}, "anonymous outside_token  denied user:gitlab "},
		{"alice", "hunter22", answer{err: tooSoon}, "anonymous password  delayed user:alice too many wrong logins: try again in 3 s"},
		{"alice", "hunter22", answer{err: auth.ErrTooManyLogins}, "anonymous password  delayed user:alice too many logins are being checked: try again in a moment"},
		{"alice", "hunter22", answer{err: errors.New("the store is down: /srv/berth.db")}, "anonymous password  failed user:alice "},
		{"alice", "hunter22", answer{err: fmt.Errorf("%w: the name is taken", auth.ErrDenied)}, "anonymous password  denied user:alice denied: the name is taken"},

		// What is in the place of a name and may be a secret.
		{"Hunter22!", "", answer{err: auth.ErrBadCredentials}, "anonymous password  denied  "},
		{"berth_pat_k3_secret", "x", answer{err: auth.ErrBadCredentials}, "anonymous password  denied  "},
		{jwt, "x", answer{err: auth.ErrBadCredentials}, "anonymous password  denied  "},
		{"robot$" + strings.Repeat("x", 65), "x", answer{err: auth.ErrBadCredentials}, "anonymous robot_secret  denied  "},
		{"robot$ci\n", "x", answer{err: auth.ErrBadCredentials}, "anonymous robot_secret  denied  "},
		{strings.Repeat("x", 65), "x", answer{err: auth.ErrBadCredentials}, "anonymous password  denied  "},
	} {
		var log recorded
		var counts []string
		l := NewLogins(test.answer, &log, func(credential string, o Outcome) { counts = append(counts, credential+" "+string(o)) })
		p, err := l.Login(t.Context(), auth.Credentials{Name: test.name, Secret: test.secret, Client: here}, start)
		if p.ID() != test.answer.p.ID() || !errors.Is(err, test.answer.err) {
			t.Errorf("%s: %v, %v", test.name, p, err)
		}
		if len(log) != 1 || log[0].Client != here || log[0].Action != Login || !log[0].Time.Equal(start) {
			t.Errorf("%s: %+v", test.name, log)
			continue
		}
		e := log[0]
		if got := fmt.Sprintf("%s %s %s %s %s %s", e.Principal, e.Credential, e.ID, e.Outcome, e.Account, e.Detail); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
		if want := []string{e.Credential + " " + string(e.Outcome)}; !slices.Equal(counts, want) {
			t.Errorf("%s: counted %q, want %q", test.name, counts, want)
		}
		if line, err := e.line(); err != nil || strings.Contains(string(line), "hunter22") || strings.Contains(string(line), "eyJ") || strings.Contains(string(line), "/srv") {
			t.Errorf("%s: %s tells a secret", test.name, line)
		}
	}
}

func (a answer) Redeem(context.Context, string, netip.Addr, time.Time) (auth.Principal, error) {
	return a.p, a.err
}

// TestLoginsWithoutAName: a personal token that comes as a Bearer, and what
// passes no verifier, are logins like any other.
func TestLoginsWithoutAName(t *testing.T) {
	here := netip.MustParseAddr("192.0.2.1")
	alice := auth.Principal{Kind: auth.User, Name: "alice", Client: here}
	personal := alice
	personal.Credential = "k3"
	nobody := auth.Principal{Client: here}
	for _, test := range []struct {
		p          auth.Principal
		credential string
		err        error
		want       string // principal, credential, id, outcome, detail
	}{
		{personal, PersonalToken, nil, "user:alice personal_token k3 ok "},
		{nobody, PersonalToken, auth.ErrBadCredentials, "anonymous personal_token  denied "},
		{nobody, PersonalToken, errors.New("the store is down: /srv/berth.db"), "anonymous personal_token  failed "},
		{alice, Browser, nil, "user:alice browser_login  ok "},
		{nobody, Browser, fmt.Errorf("%w: another login", auth.ErrMalformed), "anonymous browser_login  denied malformed credentials: another login"},
		{nobody, Browser, fmt.Errorf("%w: no groups", auth.ErrDenied), "anonymous browser_login  denied denied: no groups"},
		{nobody, Browser, errors.New("https://id.example.org does not answer"), "anonymous browser_login  failed "},
		{alice, Certificate, nil, "user:alice client_certificate  ok "},
		{nobody, Certificate, fmt.Errorf("%w: expired", auth.ErrCertificate), "anonymous client_certificate  denied the client certificate cannot be used: expired"},
	} {
		var log recorded
		counted := ""
		l := NewLogins(nil, &log, func(credential string, o Outcome) { counted += credential + " " + string(o) })
		login := func() {
			if test.credential != PersonalToken {
				l.Note(t.Context(), test.p, test.credential, test.err, start)
				return
			}
			p, err := l.Redeemer(answer{test.p, test.err}).Redeem(t.Context(), "berth_pat_k3_x", here, start)
			if p.ID() != test.p.ID() || !errors.Is(err, test.err) {
				t.Errorf("%s: %v, %v", test.want, p, err)
			}
		}
		login()
		if len(log) != 1 || log[0].Client != here || log[0].Action != Login || log[0].Account != "" || !log[0].Time.Equal(start) {
			t.Fatalf("%s: %+v", test.want, log)
		}
		e := log[0]
		if got := fmt.Sprintf("%s %s %s %s %s", e.Principal, e.Credential, e.ID, e.Outcome, e.Detail); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
		if want := e.Credential + " " + string(e.Outcome); counted != want {
			t.Errorf("%s: counted %q", test.want, counted)
		}
		if login(); (len(log) == 1) != (test.err == nil) {
			t.Errorf("%s: once more makes %d entries", test.want, len(log))
		}
	}
}

// TestLoginsGone: who goes away before the answer has tried, whatever it was.
func TestLoginsGone(t *testing.T) {
	var log recorded
	counted := 0
	l := NewLogins(answer{err: context.Canceled}, &log, func(string, Outcome) { counted++ })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Login(ctx, auth.Credentials{Name: "alice"}, start); !errors.Is(err, context.Canceled) || len(log) != 1 || counted != 1 {
		t.Fatalf("%v, %+v, %d times counted", err, log, counted)
	}
	if e := log[0]; e.Outcome != Delayed || e.class() != refusals || e.Account != "user:alice" {
		t.Errorf("%+v", e)
	}
}

// TestLoginsAreNews: a right login is recorded once a minute for each address
// and credential, a wrong one each time. All are counted.
func TestLoginsAreNews(t *testing.T) {
	var log recorded
	counted := 0
	a := &answer{p: auth.Principal{Kind: auth.User, Name: "alice"}}
	l := NewLogins(a, &log, func(string, Outcome) { counted++ })
	login := func(from string, after time.Duration) {
		t.Helper()
		c := auth.Credentials{Name: "alice", Secret: "x", Client: netip.MustParseAddr(from)}
		_, _ = l.Login(t.Context(), c, start.Add(after))
	}
	for i, step := range []struct {
		do   func()
		news int
	}{
		{func() { login("192.0.2.1", 0) }, 1},
		{func() { login("192.0.2.1", 0) }, 0},
		{func() { login("192.0.2.1", time.Minute-1) }, 0},
		{func() { login("192.0.2.2", 0) }, 1},
		{func() { login("192.0.2.1", time.Minute) }, 1},
		{func() { a.p.Credential = "k3"; login("192.0.2.1", time.Minute) }, 1},
		{func() { a.err = auth.ErrBadCredentials; login("192.0.2.1", time.Minute) }, 1},
		{func() { login("192.0.2.1", time.Minute) }, 1},
	} {
		before := len(log)
		if step.do(); len(log)-before != step.news || counted != i+1 {
			t.Errorf("step %d: %d entries, counted %d", i, len(log)-before, counted)
		}
	}
	a.err = nil
	for i := range 3 * maxRecent {
		login(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), time.Hour)
		if len(l.recent) > maxRecent {
			t.Fatalf("%d are remembered", len(l.recent))
		}
	}
}
