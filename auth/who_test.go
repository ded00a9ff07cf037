package auth_test

import (
	"net/netip"
	"testing"

	"github.com/berth-registry/berth/auth"
)

// Who is meant by which word: a row for each form, a column for each caller.
func TestWho(t *testing.T) {
	from := func(p auth.Principal, addr string) auth.Principal {
		p.Client = netip.MustParseAddr(addr)
		return p
	}
	callers := []auth.Principal{
		{}, user("alice", "ops"), {Kind: auth.Robot, Name: "ci"}, {Kind: auth.Outside, Name: "hub:repo:x/y:ref"},
		from(auth.Principal{}, "10.1.2.3"), from(user("alice"), "10.255.255.255"), from(robot(t, "ci"), "2001:db8::1"), from(user("bob"), "11.0.0.0"),
		{Kind: auth.Robot, Name: "alice", Groups: []string{"ops"}}, {Kind: auth.Outside, Name: "alice:alice", Groups: []string{"ops"}}, {Groups: []string{"ops"}, Name: "alice"},
	}
	for who, want := range map[string]string{
		//                 0 1 2 3 4 5 6 7 8 9 10
		"anonymous":     "x...x.....x",
		"authenticated": ".xx..xxxx..",
		"user:alice":    ".x...x.....",
		"group:ops":     ".x.........",
		"robot:ci":      "..x...x....",
		"robot:*":       "..x...x.x..",
		"issuer:hub":    "...x.......",
		"issuer:alice":  ".........x.",
		"10.0.0.0/8":    "....xx.....",
		"2001:db8::/32": "......x....",
		"0.0.0.0/0":     "....xx.x...",
		"10.1.2.3/32":   "....x......",
	} {
		p := auth.NewPolicy([]auth.Grant{grant(t, who, "**", "pull", false)})
		got := ""
		for _, c := range callers {
			if p.Decide(c, "a", auth.Pull).Allowed {
				got += "x"
			} else {
				got += "."
			}
		}
		if got != want {
			t.Errorf("%-14s %s, want %s", who, got, want)
		}
		if text := grant(t, who, "**", "pull", false).Who[0].String(); text != who {
			t.Errorf("%s is written %s", who, text)
		}
	}
}

// FuzzWho checks that each form has one spelling.
func FuzzWho(f *testing.F) {
	for _, s := range []string{"anonymous", "authenticated", "user:a", "group:Ops Team", "robot:*", "robot:ci", "issuer:hub", "10.0.0.0/8", "::/0", "user:", "robot:**", "10.0.0.1/8", "::ffff:1.2.3.4/128", "0::/0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		w, err := auth.ParseWho(text)
		if err != nil {
			if w != (auth.Who{}) {
				t.Errorf("%q: %v beside %v", text, w, err)
			}
			return
		}
		again, err := auth.ParseWho(w.String())
		if err != nil || again != w {
			t.Errorf("%q: %v, then %v, %v", text, w, again, err)
		}
	})
}
