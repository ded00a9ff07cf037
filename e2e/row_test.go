package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const clientsDocument = "../docs/clients.md"

// clientOrder are the rows of the table: every client has one, and there are no others.
var clientOrder = []string{
	"docker", "docker, containerd store", "podman", "buildah", "buildkit", "containerd 1", "containerd 2",
	"skopeo", "crane", "oras", "regctl", "helm",
}

// The table stands between these lines.
const (
	tableBegin = "<!-- BERTH_UPDATE_DOCS=1 make clients -->\n"
	tableEnd   = "<!-- end -->\n"
)

// row is what a run saw of a client. The last two may have several lines.
type row struct{ client, version, login, push, pull, delete, wrong, refused string }

var tableHead = []string{
	row{"client", "version", "login", "push", "pull", "delete", "wrong password", "refused push"}.cells(),
	row{"---", "---", "---", "---", "---", "---", "---", "---"}.cells(),
}

func (r row) cells() string {
	return fmt.Sprintf("| %s |\n", strings.Join([]string{r.client, r.version, r.login, r.push, r.pull, r.delete, r.wrong, r.refused}, " | "))
}

// String is the row in Markdown.
func (r row) String() string {
	r.wrong, r.refused = quote(r.wrong), quote(r.refused)
	return r.cells()
}

// quote shows a message as it is, each of its lines on one of its own.
func quote(message string) string {
	lines := strings.Split(strings.ReplaceAll(message, "|", `\|`), "\n")
	for i, line := range lines {
		fence := "`"
		if strings.Contains(line, "`") {
			fence = "``"
		}
		lines[i] = fence + line + fence
	}
	return strings.Join(lines, "<br>")
}

// check compares a row with the documentation's, or with BERTH_UPDATE_DOCS writes it there. Other versions of Debian's
// clients than the documented ones fail only where everything is demanded.
func (r row) check(t *testing.T) {
	t.Helper()
	table, written := readTable(t), r.String()
	was := table.rows[r.client]
	switch {
	case os.Getenv("BERTH_UPDATE_DOCS") != "":
		table.rows[r.client] = written
		table.write(t)
	case was == written:
	case !strings.HasPrefix(was, fmt.Sprintf("| %s | %s |", r.client, r.version)) && os.Getenv("BERTH_REQUIRE") == "":
		t.Logf("another version than in %s:\n%s%s", clientsDocument, was, written)
	default:
		t.Errorf("%s is stale (BERTH_UPDATE_DOCS=1 make clients updates it):\n%swant\n%s", clientsDocument, was, written)
	}
}

// table is the document, with its rows by client.
type table struct {
	before, after string
	rows          map[string]string
}

func readTable(t *testing.T) table {
	t.Helper()
	before, rest, begun := strings.Cut(readFile(t, clientsDocument), tableBegin)
	body, after, ended := strings.Cut(rest, tableEnd)
	if !begun || !ended {
		t.Fatalf("%s has no table between %q and %q", clientsDocument, tableBegin, tableEnd)
	}
	doc := table{before, after, map[string]string{}}
	for line := range strings.Lines(body) {
		if cells := strings.Split(line, " | "); !slices.Contains(tableHead, line) && len(cells) > 1 {
			doc.rows[strings.TrimPrefix(cells[0], "| ")] = line
		}
	}
	return doc
}

func (d table) write(t *testing.T) {
	t.Helper()
	lines := slices.Clone(tableHead)
	for _, name := range clientOrder {
		lines = append(lines, d.rows[name])
	}
	text := d.before + tableBegin + "\n" + strings.Join(lines, "") + "\n" + tableEnd + d.after
	must(t, os.WriteFile(clientsDocument, []byte(text), 0o644))
}

// TestClientsDocument finds rows that no test checks, and clients without a row.
func TestClientsDocument(t *testing.T) {
	if os.Getenv("BERTH_UPDATE_DOCS") != "" {
		t.SkipNow()
	}
	doc := readTable(t)
	for _, name := range clientOrder {
		if doc.rows[name] == "" {
			t.Errorf("%s has no row for %s", clientsDocument, name)
		}
		delete(doc.rows, name)
	}
	for name := range doc.rows {
		t.Errorf("%s has a row for %s, which no test knows", clientsDocument, name)
	}
}
