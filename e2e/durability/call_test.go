package durability

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/berth-registry/berth/e2e/internal/berth"
)

// call is one system call that strace saw.
type call struct {
	label      string // what it does to which file: "fsync <hex>"
	failed     string // ENOSPC; empty if it succeeded
	begin, end int    // lines of the trace: two calls overlap if neither ends before the other begins
}

func (c call) String() string { return c.label }

var (
	beginLine   = regexp.MustCompile(`^(\d+) +(\w+)\((.*)$`)
	resumedLine = regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>(.*)$`)
	callResult  = regexp.MustCompile(`^(.*)\) += (-?\w+)(?: ([A-Z]+))?.*$`)
)

// parseTrace reads the output of strace -f -y, in the order in which the calls
// began. A call that another thread's interrupts has two lines; one that had
// not ended when the trace did is left out.
func parseTrace(trace string, at layout) []call {
	type half struct {
		text string
		call int // index in calls
	}
	var calls []call
	open := map[string]half{} // by thread
	for line := range strings.Lines(trace) {
		n := len(calls) // a position of its own for every line that matters
		line = strings.TrimRight(line, "\n")
		if m := resumedLine.FindStringSubmatch(line); m != nil {
			begun, ok := open[m[1]]
			if !ok {
				continue
			}
			delete(open, m[1])
			complete(&calls[begun.call], begun.text+m[2], at)
			calls[begun.call].end = n
			calls = append(calls, call{}) // so that the end has a position too
			continue
		}
		m := beginLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		text := m[2] + "(" + m[3]
		calls = append(calls, call{begin: n, end: n})
		if begun, ok := strings.CutSuffix(text, " <unfinished ...>"); ok {
			open[m[1]] = half{begun, n}
			continue
		}
		complete(&calls[n], text, at)
	}
	return compact(calls)
}

// compact drops what has no label: other files, halves, failed attempts to
// read.
func compact(calls []call) []call {
	var kept []call
	for _, c := range calls {
		if c.label != "" {
			kept = append(kept, c)
		}
	}
	return kept
}

// complete labels a call whose text is whole.
func complete(c *call, text string, at layout) {
	m := callResult.FindStringSubmatch(text)
	if m == nil {
		return
	}
	if m[2] == "-1" {
		c.failed = m[3]
	}
	name, args, _ := strings.Cut(m[1], "(")
	c.label = at.label(name, args)
}

// layout is where a server keeps its data, for names instead of paths.
type layout struct{ root, db string }

func layoutOf(s *berth.Server) layout { return layout{s.Root, s.DB} }

var (
	argument   = regexp.MustCompile(`(?:\d+<|")(/[^">]*)[">]`)
	blobPath   = regexp.MustCompile(`^docker/registry/v2/blobs/(sha256|sha512)(/[0-9a-f]{2})?(/[0-9a-f]{64,128})?(/data)?$`)
	uploadPath = regexp.MustCompile(`^_uploads/[0-9a-f]{32}$`)
	httpStart  = regexp.MustCompile(`^\d+<socket:\[\d+\]>, "(HTTP/1\.1 (\d+)|([A-Z]+ /\S*) HTTP/1\.1)`)
	position   = regexp.MustCompile(`, (\d+)$`)
)

// name returns what a path is called in storage/filesystem and metadata/bolt.
func (at layout) name(path string) string {
	switch {
	case path == at.root:
		return "<root>"
	case path == at.db:
		return "<db>"
	}
	if part, ok := strings.CutPrefix(path, at.db+".sessions"); ok && (part == "" || part == ".new" || part == ".check") {
		return "<sessions>" + part
	}
	below, ok := strings.CutPrefix(path, at.root+"/")
	if !ok {
		return path
	}
	if uploadPath.MatchString(below) {
		return "<upload>"
	}
	if blobPath.MatchString(below) {
		part := []string{"<alg>", "<prefix>", "<hex>", "<data>"}
		return part[strings.Count(strings.TrimPrefix(below, "docker/registry/v2/blobs/"), "/")]
	}
	return below
}

// label is empty for what neither changes a file nor speaks HTTP.
func (at layout) label(name, args string) string {
	if m := httpStart.FindStringSubmatch(args); m != nil {
		switch {
		case name == "write" && m[2] != "":
			return "answer " + m[2]
		case name == "read" && m[3] != "":
			return "request " + m[3]
		}
	}
	switch name {
	case "read":
		return ""
	case "open", "openat":
		if !strings.Contains(args, "O_CREAT") {
			return ""
		}
		name = "create"
	case "mkdirat":
		name = "mkdir"
	case "renameat", "renameat2":
		name = "rename"
	case "unlinkat":
		name = "unlink"
		if strings.Contains(args, "AT_REMOVEDIR") {
			name = "rmdir"
		}
	case "sync":
		return "sync everything"
	}
	return at.onFile(name, args)
}

func (at layout) onFile(name, args string) string {
	var names []string
	for _, m := range argument.FindAllStringSubmatch(args, -1) {
		names = append(names, at.name(m[1]))
	}
	if (name == "write" || name == "pwrite64") && len(names) > 1 {
		names = names[:1] // the others are in what is written
	}
	if len(names) == 0 {
		return ""
	}
	if name == "pwrite64" {
		name = "pwrite"
		if names[0] == "<db>" {
			names[0] = page(args)
		}
	}
	return name + " " + strings.Join(names, " ")
}

// page tells the two meta pages, which say where everything else is, from the
// others.
func page(args string) string {
	m := position.FindStringSubmatch(args)
	var offset int
	if m != nil {
		_, _ = fmt.Sscan(m[1], &offset)
	}
	if m != nil && offset < 2*os.Getpagesize() {
		return "<meta>"
	}
	return "<page>"
}

// TestParseTrace reads what the other tests rest on.
func TestParseTrace(t *testing.T) {
	root := "/data"
	at := layout{root, "/data/berth.db"}
	upload := "/data/_uploads/" + strings.Repeat("a", 32)
	hex := strings.Repeat("5a", 32)
	dir := filepath.Join(root, "docker/registry/v2/blobs/sha256/5a", hex)
	trace := strings.NewReplacer("$U", upload, "$H", dir, "$P", filepath.Dir(dir)).Replace(`1 read(9<socket:[3]>, 0xc000, 4096) = -1 EAGAIN (Resource temporarily unavailable)
1 read(9<socket:[3]>, "PUT /v2/a/blobs/uploads/x?digest=y HTTP/1.1\r\nHost: a"..., 4096) = 300
2 openat(AT_FDCWD</tmp>, "$U", O_RDWR|O_CREAT|O_EXCL|O_APPEND|O_CLOEXEC, 0640) = 7<$U>
2 write(7<$U>, "\"/data/berth.db\"\1\2"..., 100) = 100
2 fdatasync(7<$U> <unfinished ...>
1 openat(AT_FDCWD</tmp>, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 8</etc/passwd>
1 mkdirat(AT_FDCWD</tmp>, "$H", 0750) = -1 ENOSPC (No space left on device)
2 <... fdatasync resumed>) = 0
2 renameat(AT_FDCWD</tmp>, "$U", AT_FDCWD</tmp>, "$H/data") = 0
2 fsync(7<$H> <unfinished ...>
5 fsync(8<$P>) = 0
2 <... fsync resumed>) = 0
3 pwrite64(5</data/berth.db>, "\0\0"..., 8192, 40960) = 8192
3 pwrite64(5</data/berth.db>, "\0\0"..., 4096, 4096) = 4096
3 pwrite64(6</data/berth.db.sessions>, "\0\0"..., 90, 8192) = -1 ENOSPC (No space left on device)
3 openat(AT_FDCWD</tmp>, "/data/berth.db.sessions.new", O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC, 0600) = 8</data/berth.db.sessions.new>
3 pwrite64(8</data/berth.db.sessions.new>, "\0\0"..., 90, 0) = 90
3 renameat(AT_FDCWD</tmp>, "/data/berth.db.sessions.new", AT_FDCWD</tmp>, "/data/berth.db.sessions") = 0
3 unlinkat(AT_FDCWD</tmp>, "/data/berth.db.sessions.check", 0) = 0
4 --- SIGURG {si_signo=SIGURG} ---
1 write(9<socket:[3]>, "HTTP/1.1 201 Created\r\nDock"..., 200) = 200
3 fdatasync(5</data/berth.db> <unfinished ...>
`)
	want := []call{
		{"request PUT /v2/a/blobs/uploads/x?digest=y", "", 1, 1},
		{"create <upload>", "", 2, 2}, {"write <upload>", "", 3, 3}, {"fdatasync <upload>", "", 4, 7}, {"mkdir <hex>", "ENOSPC", 6, 6},
		{"rename <upload> <data>", "", 8, 8}, {"fsync <hex>", "", 9, 11}, {"fsync <prefix>", "", 10, 10},
		{"pwrite <page>", "", 12, 12}, {"pwrite <meta>", "", 13, 13}, {"pwrite <sessions>", "ENOSPC", 14, 14},
		{"create <sessions>.new", "", 15, 15}, {"pwrite <sessions>.new", "", 16, 16}, {"rename <sessions>.new <sessions>", "", 17, 17},
		{"unlink <sessions>.check", "", 18, 18},
		{"answer 201", "", 19, 19},
	}
	got := parseTrace(trace, at)
	if !slices.Equal(got, want) {
		t.Errorf("%#v\nwant\n%#v", got, want)
	}
}
