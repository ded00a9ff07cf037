package differential

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var sources = flag.String("sources", "", "directory of the quoted documents: distribution-spec.md, image-spec.md, rfc9110.txt, ...")

// TestTable holds every entry to its form: a name of its own, a text for each
// column, and a reason.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range newTable().entries {
		if seen[d.id] || len(d.forms) == 0 || d.request == "" || d.distribution == "" || d.berth == "" {
			t.Errorf("%s: twice, or incomplete", d.id)
		}
		seen[d.id] = true
		if w := d.why; w.quote == "" && w.design == "" || (w.quote == "") != (w.source == "") || (w.quote == "") != (w.section == "") {
			t.Errorf("%s: neither a quotation with its source nor a reason", d.id)
		}
	}
}

// TestQuotes holds the quotations against the documents, where they are at
// hand.
func TestQuotes(t *testing.T) {
	if *sources == "" {
		t.Skip("no -sources")
	}
	for _, d := range newTable().entries {
		if d.why.quote == "" {
			continue
		}
		text, err := d.why.text()
		if errors.Is(err, os.ErrNotExist) {
			t.Logf("%s: %s is not at hand", d.id, d.why.source)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plainText(text), plainText(d.why.quote)) {
			t.Errorf("%s: %s, %s does not say: %s", d.id, d.why.source, d.why.section, d.why.quote)
		}
	}
}

// text is the section that is quoted, or the whole document where sections
// are not told apart.
func (r reason) text() (string, error) {
	name := strings.ToLower(strings.ReplaceAll(string(r.source), " ", ""))
	if r.source != distributionSpec {
		found, err := filepath.Glob(filepath.Join(*sources, name+".*"))
		if err != nil || len(found) == 0 {
			return "", os.ErrNotExist
		}
		b, err := os.ReadFile(found[0])
		return string(b), err
	}
	b, err := os.ReadFile(filepath.Join(*sources, name+".md"))
	_, rest, _ := strings.Cut(string(b), "# "+r.section+"\n")
	section, _, _ := strings.Cut(rest, "\n#")
	return section, err
}

var (
	superscript = regexp.MustCompile(`<sup>.*?</sup>`)
	link        = regexp.MustCompile(`\[([^]]*)\]\([^)]*\)`)
	space       = regexp.MustCompile(`\s+`)
)

// plainText is Markdown without links and footnotes.
func plainText(s string) string {
	s = link.ReplaceAllString(superscript.ReplaceAllString(s, ""), "$1")
	return strings.ReplaceAll(space.ReplaceAllString(s, " "), " .", ".")
}
