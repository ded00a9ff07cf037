package audit

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/berth-registry/berth/auth"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// TestLine is what a line looks like, to the letter.
func TestLine(t *testing.T) {
	for _, test := range []struct {
		name string
		e    Entry
		want string
	}{
		{"full", Entry{
			Time: start.Add(1500 * time.Millisecond), Principal: "user:alice", Client: netip.MustParseAddr("2001:db8::1"), Action: Push,
			Request: "manifest.put", Repository: "alice/app", Reference: "v1", Digest: "sha256:0", Outcome: OK, Status: 201,
			Credential: RegistryToken, ID: "k3", Account: "user:bob", Detail: "<&>", Suppressed: 3,
		}, `{"time":"2026-11-23T12:00:01.5Z","principal":"user:alice","client":"2001:db8::1","action":"push","request":"manifest.put",` +
			`"repository":"alice/app","reference":"v1","digest":"sha256:0","outcome":"ok","status":201,` +
			`"credential":"token","credential_id":"k3","account":"user:bob","detail":"<&>","suppressed":3}`},
		{"empty", Entry{Time: start}, `{"time":"2026-11-23T12:00:00Z","principal":"","action":"","outcome":""}`},
		{"elsewhere", Entry{Time: start.In(time.FixedZone("", 3600))}, `{"time":"2026-11-23T12:00:00Z","principal":"","action":"","outcome":""}`},
		{"breaks", Entry{Time: start, Detail: "a\nb\r\x1b[31m\u2028\u202e\x7f\x9b\xff\""},
			`{"time":"2026-11-23T12:00:00Z","principal":"","action":"","outcome":"","detail":"a�b��[31m�����\""}`},
	} {
		e := test.e.bounded()
		if got, err := e.line(); err != nil || string(got) != test.want+"\n" {
			t.Errorf("%s: %v\n%s want\n%s", test.name, err, got, test.want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"0123456789", "0123456..."}, // n is for what fits with its dots
		{"0123456", "0123456"},
		{"äöüä", "äöü..."},
		{strings.Repeat("\x00", 100), "��..."},
	} {
		if got := printable(test.in, 10); got != test.want {
			t.Errorf("%q: %q, want %q", test.in, got, test.want)
		}
	}
}

func TestBy(t *testing.T) {
	here := netip.MustParseAddr("192.0.2.1")
	alice := auth.Principal{Kind: auth.User, Name: "alice", Client: here}
	personal := alice
	personal.Credential = "k3"
	for _, test := range []struct {
		p    auth.Principal
		want Entry
	}{
		{auth.Principal{}, Entry{Principal: "anonymous"}},
		{alice, Entry{Principal: "user:alice", Client: here, Credential: Password}},
		{personal, Entry{Principal: "user:alice", Client: here, Credential: PersonalToken, ID: "k3"}},
		{personal.WithToken(nil, start), Entry{Principal: "user:alice", Client: here, Credential: RegistryToken, ID: "k3"}},
		{auth.Principal{}.WithToken(nil, start), Entry{Principal: "anonymous", Credential: RegistryToken}},
		{auth.Principal{Kind: auth.Robot, Name: "ci"}, Entry{Principal: "robot:ci", Credential: RobotSecret}},
		{auth.Principal{Kind: auth.Outside, Name: "gitlab:a/b"}, Entry{Principal: "outside:gitlab:a/b", Credential: OutsideToken}},
	} {
		if got := (Entry{}).By(test.p); got != test.want {
			t.Errorf("%v: %+v, want %+v", test.p.ID(), got, test.want)
		}
	}
}

// FuzzLine: whatever a text holds, the entry is one printable line that decodes
// to what is remembered, of a bounded length.
func FuzzLine(f *testing.F) {
	f.Add("alice", "a/b", "detail", int64(0))
	f.Add("\x00\n\r\u2028", strings.Repeat("\"", 2000), strings.Repeat("ä\xff", 2000), int64(1e18))
	f.Add("\u202e", "\x9b31m", `{"time":0}`+"\n"+`{}`, int64(-1e15))
	f.Fuzz(func(t *testing.T, a, b, c string, at int64) {
		e := Entry{
			Time: start.Add(time.Duration(at)), Principal: a, Request: b, Repository: c, Reference: a, Digest: b, Credential: c,
			ID: a, Account: b, Detail: c, Action: Action(b), Outcome: Outcome(c), Client: netip.MustParseAddr("192.0.2.1"),
		}.bounded()
		line, err := e.line()
		if err != nil {
			t.Fatal(err)
		}
		text, ok := bytes.CutSuffix(line, []byte("\n"))
		if !ok || len(line) > 16<<10 || !utf8.Valid(text) || bytes.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%d bytes: %q", len(line), line)
		}
		var got Entry
		if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("%v: %+v, want %+v", err, got, e)
		}
	})
}
