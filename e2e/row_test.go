package e2e

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// clientOrder are the rows of a table: every client has one, and there are no others.
var clientOrder = []string{
	"docker", "docker, containerd store", "podman", "buildah", "buildkit", "containerd 1", "containerd 2",
	"skopeo", "crane", "oras", "regctl", "helm",
}

// clientTable is a table of a page: it stands between a line of its own and tableEnd.
type clientTable struct {
	page, begin string
	order, head []string // the clients, each with a row, and the columns
}

const tableEnd = "<!-- end -->\n"

var (
	behaviour = clientTable{"../docs/clients.md", "<!-- BERTH_UPDATE_DOCS=1 make clients -->\n", clientOrder,
		[]string{"client", "version", "login", "push", "pull", "delete", "wrong password", "refused push"}}
	credentials = clientTable{"../docs/clients.md", "<!-- BERTH_UPDATE_DOCS=1 make clients: credentials -->\n", clientOrder,
		[]string{"client", "login keeps", "with refresh tokens", "robot", "token to pull", "identity token", "anonymous"}}
	refusals = clientTable{"../docs/clients.md", "<!-- BERTH_UPDATE_DOCS=1 make clients: refused -->\n", clientOrder,
		[]string{"client", "push with a token to pull", "push after the end of robot or token", "pull after another password"}}
)

// row is what a run saw of a client. The last two may have several lines.
type row struct{ client, version, login, push, pull, delete, wrong, refused string }

// String is the row in Markdown.
func (r row) String() string {
	return line(r.client, r.version, r.login, r.push, r.pull, r.delete, quote(r.wrong), quote(r.refused))
}

func (r row) check(t *testing.T) {
	t.Helper()
	behaviour.check(t, r.client, r.version, r.String())
}

// credentialRow is what a run saw of a client's credentials: what it keeps, and what it does with which.
type credentialRow struct{ client, keeps, refreshed, robot, narrowed, identity, anonymous string }

// String is the row in Markdown.
func (r credentialRow) String() string {
	return line(r.client, r.keeps, r.refreshed, r.robot, r.narrowed, r.identity, r.anonymous)
}

// refusalRow is what a client says of credentials that will not do. All may have several lines.
type refusalRow struct{ client, narrowed, revoked, changed string }

// String is the row in Markdown.
func (r refusalRow) String() string {
	return line(r.client, quote(r.narrowed), quote(r.revoked), quote(r.changed))
}

func line(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

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

// checking lets tests that run at once write their rows one after the other.
var checking sync.Mutex

// check compares a row with the documentation's, or with BERTH_UPDATE_DOCS writes it there. Other versions of Debian's
// clients than the documented ones fail only where everything is demanded.
func (c clientTable) check(t *testing.T, client, version, written string) {
	t.Helper()
	checking.Lock()
	defer checking.Unlock()
	doc := c.read(t)
	was := doc.rows[client]
	switch {
	case os.Getenv("BERTH_UPDATE_DOCS") != "":
		doc.rows[client] = written
		doc.write(t)
	case was == written:
	case c.documentedVersion(t, client) != version && os.Getenv("BERTH_REQUIRE") == "":
		t.Logf("another version than in %s:\n%s%s", c.page, was, written)
	default:
		t.Errorf("%s is stale (BERTH_UPDATE_DOCS=1 make clients updates it):\n%swant\n%s", c.page, was, written)
	}
}

// documentedVersion is that of a client whose rows the page has.
func (c clientTable) documentedVersion(t *testing.T, client string) string {
	t.Helper()
	if c.head[1] != "version" {
		c = behaviour
	}
	return strings.Split(c.read(t).rows[client]+" | | ", " | ")[1]
}

// document is the page with the rows of one of its tables by client.
type document struct {
	table         clientTable
	before, after string
	rows          map[string]string
}

func (c clientTable) read(t *testing.T) document {
	t.Helper()
	before, rest, begun := strings.Cut(readFile(t, c.page), c.begin)
	body, after, ended := strings.Cut(rest, tableEnd)
	if !begun || !ended {
		t.Fatalf("%s has no table between %q and %q", c.page, c.begin, tableEnd)
	}
	doc := document{c, before, after, map[string]string{}}
	for line := range strings.Lines(body) {
		if cells := strings.Split(line, " | "); !slices.Contains(c.top(), line) && len(cells) > 1 {
			doc.rows[strings.TrimPrefix(cells[0], "| ")] = line
		}
	}
	return doc
}

// top is what stands above the rows.
func (c clientTable) top() []string {
	return []string{line(c.head...), line(slices.Repeat([]string{"---"}, len(c.head))...)}
}

func (d document) write(t *testing.T) {
	t.Helper()
	lines := d.table.top()
	for _, name := range d.table.order {
		lines = append(lines, d.rows[name])
	}
	text := d.before + d.table.begin + "\n" + strings.Join(lines, "") + "\n" + tableEnd + d.after
	must(t, os.WriteFile(d.table.page, []byte(text), 0o644))
}

// unwritten are clients whose rows of credentials wait for a machine that has built them: `make clients` demands them.
var unwritten = []string{"docker, containerd store", "buildkit"}

// TestClientsDocument finds rows that no test checks, and clients without a row.
func TestClientsDocument(t *testing.T) {
	behaviour.complete(t)
	credentials.complete(t, unwritten...)
	refusals.complete(t, unwritten...)
}

func (c clientTable) complete(t *testing.T, waiting ...string) {
	t.Helper()
	if os.Getenv("BERTH_UPDATE_DOCS") != "" {
		t.SkipNow()
	}
	doc := c.read(t)
	for _, name := range c.order {
		if slices.Contains(waiting, name) == (doc.rows[name] != "") {
			t.Errorf("%s has no row for %s below %s, or has one that is unwritten", c.page, name, c.begin)
		}
		delete(doc.rows, name)
	}
	for name := range doc.rows {
		t.Errorf("%s has a row for %s, which no test knows, below %s", c.page, name, c.begin)
	}
}
