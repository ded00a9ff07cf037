package main

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

// TestExplainInTheDocs runs what docs/auth.md shows, under the grants that it
// shows.
func TestExplainInTheDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/auth.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\nauth:\n")
	grants, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("the document has no grants")
	}
	i := newInstance(t)
	i.write(t, "anonymous", "")
	i.rewrite(t, func(config string) string {
		before, auth, _ := strings.Cut(config, "auth: {key: ")
		key, _, _ := strings.Cut(auth, ", grants")
		return before + "auth:\n  key: " + key + "\n" + grants
	})
	i.start(t, "http", http.DefaultClient)
	defer i.end(t)
	i.steps(t, nil, []step{
		{"correct-horse\n", "user add alice --password-stdin --group dev", "", ""},
		{"correct-horse\n", "user add iris --password-stdin --group dev --group interns", "", ""},
		{"", "robot add ci --grant team/**:pull,push", "berth_robot_", ""},
	})
	shown := 0
	for _, example := range strings.Split(string(text), "    $ berth ")[1:] {
		command, answer, _ := strings.Cut(example, "\n")
		answer, _, _ = strings.Cut(answer, "\n\n")
		want := strings.ReplaceAll("\n"+answer, "\n    ", "\n")[1:] + "\n"
		got, err := i.run("", strings.Fields(command)...)
		if shown++; err != nil || got != want {
			t.Errorf("berth %s: %v\n got %s\nwant %s", command, err, got, want)
		}
	}
	if shown < 4 {
		t.Errorf("%d examples", shown)
	}
}
