package auth_test

import (
	"encoding/json"
	"testing"

	"github.com/berth-registry/berth/auth"
)

func TestActionsJSON(t *testing.T) {
	for _, tc := range []struct {
		set  auth.Actions
		json string
		text string
	}{
		{0, `[]`, ""},
		{auth.Pull, `["pull"]`, "pull"},
		{auth.Push | auth.Pull, `["pull","push"]`, "pull,push"},
		{auth.Delete | auth.Push, `["push","delete"]`, "push,delete"},
		{auth.All, `["*"]`, "*"},
	} {
		data, err := json.Marshal(tc.set)
		if err != nil || string(data) != tc.json || tc.set.String() != tc.text {
			t.Errorf("%s %q %v, want %s %q", data, tc.set, err, tc.json, tc.text)
		}
		var back auth.Actions
		if err := json.Unmarshal(data, &back); err != nil || back != tc.set {
			t.Errorf("%s read as %v, %v", data, back, err)
		}
	}
}

func TestActionsUnmarshal(t *testing.T) {
	for text, want := range map[string]auth.Actions{
		`["push","pull","push"]`:         auth.Pull | auth.Push,
		`["pull","push","delete"]`:       auth.All,
		`["*"]`:                          auth.All,
		`["pull","scanner-pull","PUSH"]`: auth.Pull,
		`["",",","pull,push"]`:           0,
		`[]`:                             0,
	} {
		got := auth.All
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: %v %v, want %v", text, got, err, want)
		}
	}
	var a auth.Actions
	for _, text := range []string{`"pull"`, `7`, `[1]`, `{}`} {
		if err := json.Unmarshal([]byte(text), &a); err == nil {
			t.Errorf("%s: read as %v", text, a)
		}
	}
}

func TestParseActions(t *testing.T) {
	if a, err := auth.ParseActions([]string{"pull", "delete"}); err != nil || a != auth.Pull|auth.Delete {
		t.Errorf("%v %v", a, err)
	}
	for _, s := range []string{"", "Pull", "pull,push", "admin", " pull"} {
		if _, err := auth.ParseAction(s); err == nil {
			t.Errorf("%q is an action", s)
		}
	}
}

func TestAccessJSON(t *testing.T) {
	data, err := json.Marshal([]auth.Access{auth.Repository("a/b", auth.Pull|auth.Push), auth.Catalog()})
	want := `[{"type":"repository","name":"a/b","actions":["pull","push"]},{"type":"registry","name":"catalog","actions":["*"]}]`
	if err != nil || string(data) != want {
		t.Errorf("%s %v\nwant %s", data, err, want)
	}
}
