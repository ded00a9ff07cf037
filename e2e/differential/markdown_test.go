package differential

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/differences.md")

// document of the table, seen from this package.
const golden = "../../docs/differences.md"

// TestDocument holds docs/differences.md against the table.
func TestDocument(t *testing.T) {
	want := newTable().markdown()
	if *update {
		if err := os.WriteFile(golden, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/differences.md is not what the table says: run go test . -run TestDocument -update")
	}
}

// markdown writes the table for people.
func (t *table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, preface, distributionVersion(), len(t.entries))
	if open := t.open(); open > 0 {
		fmt.Fprintf(&b, "\n%d of them are marked **open**: there berth should perhaps do otherwise.\n", open)
	}
	for _, p := range t.parts {
		fmt.Fprintf(&b, "\n## %s\n\n| Request | distribution | berth | Why |\n|---|---|---|---|\n", p.title)
		for _, d := range p.entries {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", cell(d.request), cell(d.distribution), cell(d.berth), cell(d.reasons()))
		}
	}
	return b.String()
}

const preface = `<!-- Written by e2e/differential: go test . -run TestDocument -update -->

# Where berth answers otherwise than Docker's registry

Both registries get the same requests, the hand-written ones for every kind and error and generated sequences
(` + "`e2e/differential`" + `). Each difference between berth and distribution %s is one of these %d, or the test fails. Where the
OCI distribution specification (main, 967efdc of 2026-07-16), the image specification (1.1.1) or an RFC decides, its
sentence is quoted; where they are silent, the reason is ours.

Not differences are: scheme and host of Location and Link, the name of an upload session and the query of its URL, spaces
and order in JSON that is made for the answer, the boundary of a multipart body, and the words and details of errors. Of
answers with different status nothing else is compared.
`

func (t *table) open() int {
	n := 0
	for _, d := range t.entries {
		if d.open != "" {
			n++
		}
	}
	return n
}

// reasons is the last column.
func (d deviation) reasons() string {
	var list []string
	if d.why.quote != "" {
		list = append(list, fmt.Sprintf("“%s” (%s, %s)", d.why.quote, d.why.source, d.why.section))
	}
	if d.why.design != "" {
		list = append(list, d.why.design)
	}
	if d.open != "" {
		list = append(list, "**Open:** "+d.open)
	}
	return strings.Join(list, " ")
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// distributionVersion is the oracle's, from go.mod.
func distributionVersion() string {
	b, err := os.ReadFile("go.mod")
	if err != nil {
		return err.Error()
	}
	_, rest, _ := strings.Cut(string(b), "github.com/distribution/distribution/v3 v")
	version, _, _ := strings.Cut(rest, "\n")
	return version
}
