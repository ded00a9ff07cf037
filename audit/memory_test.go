package audit

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
)

// details lists what is found by its Detail.
func details(found []Entry) string {
	var all []string
	for _, e := range found {
		all = append(all, e.Detail)
	}
	return strings.Join(all, " ")
}

// TestMemory: each class has its own place, and what is found is in order.
func TestMemory(t *testing.T) {
	var m memory
	m.add(Entry{Action: Push, Outcome: OK, Detail: "push"})
	m.add(Entry{Action: Token, Outcome: OK, Detail: "token"})
	m.add(Entry{Action: Push, Outcome: Denied, Detail: "denied"})
	m.add(Entry{Action: Push, Outcome: Failed, Detail: "failed"})
	m.add(Entry{Action: Login, Outcome: OK, Detail: "login"})
	m.add(Entry{Action: Login, Outcome: Delayed, Detail: "delayed"})
	all := func(*Entry) bool { return true }
	if got := details(m.find(all, 10)); got != "delayed login failed denied token push" {
		t.Error(got)
	}
	if got := details(m.find(all, 2)); got != "delayed login" {
		t.Error(got)
	}
	if got := m.find(all, 0); got == nil || len(got) != 0 {
		t.Error(got)
	}
	for i := range 20_000 {
		m.add(Entry{Action: Login, Outcome: Denied, Detail: fmt.Sprint(i)})
		m.add(Entry{Action: Token, Outcome: OK, Detail: fmt.Sprint(i)})
	}
	if got := m.find(all, MaxLimit); len(got) != 6002 {
		t.Errorf("%d entries", len(got))
	}
	if got := details(m.find(func(e *Entry) bool { return e.class() == changes }, 10)); got != "failed push" {
		t.Errorf("refusals and logins have pushed out: %s", got)
	}
	for i := range 20_000 {
		m.add(Entry{Action: Admin, Outcome: OK, Detail: fmt.Sprint(i)})
	}
	found := m.find(all, 20_000)
	if len(found) != 10_000 || found[0].Detail != "19999" {
		t.Errorf("%d entries, the newest %v", len(found), found[0])
	}
}

// TestMemoryInBytes: few large entries are as much as many small ones.
func TestMemoryInBytes(t *testing.T) {
	var m memory
	large := Entry{
		Action: Admin, Outcome: OK, Principal: strings.Repeat("p", maxText), Request: strings.Repeat("r", maxText),
		Repository: strings.Repeat("r", maxText), Reference: strings.Repeat("t", maxText), Digest: strings.Repeat("d", maxText),
		Credential: strings.Repeat("c", maxText), ID: strings.Repeat("i", maxText), Account: strings.Repeat("a", maxText), Detail: strings.Repeat("d", maxDetail),
	}
	for range 5000 {
		m.add(large)
	}
	n := len(m.find(func(*Entry) bool { return true }, MaxLimit))
	if most := capacity[changes].bytes; n*large.size() > most || (n+1)*large.size() <= most || m.kinds[changes].bytes != n*large.size() {
		t.Errorf("%d entries of %d bytes", n, large.size())
	}
}

func TestFilter(t *testing.T) {
	pattern := func(s string) *auth.Pattern {
		p, err := auth.ParsePattern(s)
		if err != nil {
			t.Fatal(err)
		}
		return &p
	}
	entries := []Entry{
		{Principal: "user:alice", Action: Push, Outcome: OK, Repository: "team/app", Time: start},
		{Principal: "anonymous", Account: "user:alice", Action: Login, Outcome: Denied, Time: start.Add(time.Second)},
		{Principal: "robot:alice", Action: Token, Outcome: OK, Time: start.Add(2 * time.Second)},
		{Principal: "user:bob", Action: Pull, Outcome: Denied, Repository: "team/a/b", Time: start.Add(3 * time.Second)},
		{Principal: "outside:gitlab:team/app", Action: Push, Outcome: OK, Repository: "other", Time: start.Add(4 * time.Second)},
	}
	for name, test := range map[string]struct {
		filter Filter
		want   string // which of them
	}{
		"all":            {Filter{}, "0 1 2 3 4"},
		"id":             {Filter{Principal: "user:alice"}, "0 1"},
		"name":           {Filter{Principal: "alice"}, "0 1 2"},
		"robot":          {Filter{Principal: "robot:alice"}, "2"},
		"outside":        {Filter{Principal: "gitlab:team/app"}, "4"},
		"anonymous":      {Filter{Principal: "anonymous"}, "1"},
		"part of a name": {Filter{Principal: "ali"}, ""},
		"action":         {Filter{Action: Push}, "0 4"},
		"outcome":        {Filter{Outcome: Denied}, "1 3"},
		"repository":     {Filter{Repository: pattern("team/app")}, "0"},
		"pattern":        {Filter{Repository: pattern("team/**")}, "0 3"},
		"any repository": {Filter{Repository: pattern("**")}, "0 3 4"},
		"since":          {Filter{Since: start.Add(3 * time.Second)}, "3 4"},
		"together":       {Filter{Action: Push, Principal: "alice", Since: start.Add(1)}, ""},
	} {
		var got []string
		for i := range entries {
			if test.filter.Match(&entries[i]) {
				got = append(got, fmt.Sprint(i))
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %v, want %s", name, got, test.want)
		}
	}
}

func TestParse(t *testing.T) {
	for _, a := range actions {
		if got, err := ParseAction(string(a)); got != a || err != nil {
			t.Errorf("%s: %s, %v", a, got, err)
		}
	}
	for _, o := range outcomes {
		if got, err := ParseOutcome(string(o)); got != o || err != nil {
			t.Errorf("%s: %s, %v", o, got, err)
		}
	}
	for _, bad := range []string{"", "Push", "push ", "\x1b[31m"} {
		if _, err := ParseAction(bad); err == nil || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("action %q: %v", bad, err)
		}
		if _, err := ParseOutcome(bad); err == nil || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("outcome %q: %v", bad, err)
		}
	}
}
