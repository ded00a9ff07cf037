package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"path/filepath"
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

// TestVulnerabilitiesInTheDocs looks up the tests that SECURITY.md names: each
// is there and says what it is about.
func TestVulnerabilitiesInTheDocs(t *testing.T) {
	document, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(document)) {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| CVE-") && !strings.HasPrefix(line, "| GHSA-") || len(cells) != 4 {
			continue
		}
		rows++
		id := strings.Fields(cells[0])[1]
		for name := range strings.SplitSeq(strings.Trim(cells[3], " |\n"), ", ") {
			pkg, name, _ := strings.Cut(strings.Trim(name, "`"), ".")
			if !strings.Contains(textOfTest(t, pkg, name), id) {
				t.Errorf("no test %s in %s that is about %s", name, pkg, id)
			}
		}
	}
	if rows < 17 {
		t.Errorf("%d rows", rows)
	}
}

// textOfTest is a function of a package's tests with its comment, or "".
func textOfTest(t *testing.T, pkg, name string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, source, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, is := d.(*ast.FuncDecl); is && f.Name.Name == name && f.Recv == nil {
				start := f.Pos()
				if f.Doc != nil {
					start = f.Doc.Pos()
				}
				return string(source[set.Position(start).Offset:set.Position(f.End()).Offset])
			}
		}
	}
	return ""
}
