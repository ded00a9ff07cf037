package filesystem

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/berth-registry/berth/storage"
)

// Durability shows in no result, only in the system calls. These are all that
// change the disk, step by step; doc.go explains them.
var wantSyscalls = []struct {
	step  string
	calls []string
}{
	{"begin", nil},
	{"suspend nothing", nil},
	{"first write", []string{"create <upload>", "write <upload>"}},
	{"commit, new prefix", []string{
		"mkdir <prefix>", "mkdir <hex>",
		"fdatasync <upload>", "rename <upload> <data>",
		"fsync <hex>", "fsync <prefix>", "fsync <alg>",
	}},
	{"write more", []string{"create <upload>", "write <upload>"}},
	{"commit", []string{
		"mkdir <hex>",
		"fdatasync <upload>", "rename <upload> <data>",
		"fsync <hex>", "fsync <prefix>",
	}},
	{"commit again", []string{
		"create <upload>", "write <upload>",
		"fsync <hex>", "fsync <prefix>", "unlink <upload>",
	}},
	{"suspend", []string{"create <upload>", "write <upload>", "fdatasync <upload>"}},
	{"suspend again", nil},
	{"resume, write, suspend", []string{"write <upload>", "fdatasync <upload>"}},
	{"resume older state", []string{"ftruncate <upload>"}},
	{"commit shortened", []string{
		"mkdir <hex>",
		"fdatasync <upload>", "rename <upload> <data>",
		"fsync <hex>", "fsync <prefix>",
	}},
	{"suspend whole", []string{"create <upload>", "write <upload>", "fdatasync <upload>"}},
	{"commit after suspend", []string{
		"mkdir <hex>",
		"rename <upload> <data>",
		"fsync <hex>", "fsync <prefix>",
	}},
	{"commit empty", []string{
		"create <upload>", "mkdir <prefix>", "mkdir <hex>",
		"fdatasync <upload>", "rename <upload> <data>",
		"fsync <hex>", "fsync <prefix>", "fsync <alg>",
	}},
	{"mismatch", []string{"create <upload>", "write <upload>", "unlink <upload>"}},
	{"open, stat, walk", nil},
	{"delete", []string{"unlink <data>", "fsync <hex>", "rmdir <hex>"}},
	{"delete again", nil},
	{"check", []string{"create <uploads>/_check", "write <uploads>/_check", "unlink <uploads>/_check"}},
	{"open", []string{
		"mkdir other", "fsync <root>", "create other/_lock",
		"mkdir other/_uploads", "mkdir other/docker", "mkdir other/docker/registry", "mkdir other/docker/registry/v2",
		"mkdir other/docker/registry/v2/blobs",
		"mkdir other/docker/registry/v2/blobs/sha256", "mkdir other/docker/registry/v2/blobs/sha512",
		"fsync other/docker/registry/v2/blobs", "fsync other/docker/registry/v2", "fsync other/docker/registry",
		"fsync other/docker", "fsync other",
	}},
	{"open again", []string{
		"create other/_lock", // opened with O_CREAT
		"fsync other/docker/registry/v2/blobs", "fsync other/docker/registry/v2", "fsync other/docker/registry",
		"fsync other/docker", "fsync other",
	}},
}

// samePrefix returns n bodies whose digests have the same first two digits.
func samePrefix(n int) [][]byte {
	var bodies [][]byte
	for i := uint64(0); len(bodies) < n; i++ {
		body := content(4096, i)
		if strings.HasPrefix(digestOf(body).Hex(), "5a") {
			bodies = append(bodies, body)
		}
	}
	return bodies
}

// makeSyscalls goes through the steps in the traced process. A readlink of the
// step's name marks where it starts.
func makeSyscalls(ctx context.Context, s *Store) (err error) {
	var steps []string
	step := func(name string) {
		_, _ = os.Readlink("/berth-step/" + name)
		steps = append(steps, name)
	}
	try := func(e error) {
		if err == nil && e != nil {
			err = fmt.Errorf("%s: %w", steps[len(steps)-1], e)
		}
	}
	begin := func() storage.Upload { u, err := s.Begin(ctx, storage.Hint{}); try(err); return u }
	write := func(u storage.Upload, p []byte) { _, err := u.Write(p); try(err) }
	suspend := func(u storage.Upload) storage.State { state, err := u.Suspend(ctx); try(err); return state }
	resume := func(state storage.State) storage.Upload { u, err := s.Resume(ctx, state); try(err); return u }
	commit := func(u storage.Upload, body []byte) storage.Key {
		key, err := u.Commit(ctx, digestOf(body))
		try(err)
		return key
	}
	bodies := samePrefix(4)

	step("begin")
	u := begin()
	step("suspend nothing")
	u = resume(suspend(u))
	step("first write")
	write(u, bodies[0])
	step("commit, new prefix")
	key := commit(u, bodies[0])
	step("write more")
	u = begin()
	write(u, bodies[1])
	step("commit")
	commit(u, bodies[1])
	step("commit again")
	u = begin()
	write(u, bodies[1])
	commit(u, bodies[1])
	step("suspend")
	u = begin()
	write(u, bodies[2])
	older := suspend(u)
	step("suspend again")
	state := suspend(resume(older))
	step("resume, write, suspend")
	u = resume(state)
	write(u, []byte("more"))
	suspend(u)
	step("resume older state")
	u = resume(older)
	step("commit shortened")
	commit(u, bodies[2])
	step("suspend whole")
	u = begin()
	write(u, bodies[3])
	state = suspend(u)
	step("commit after suspend")
	commit(resume(state), bodies[3])
	step("commit empty")
	commit(begin(), nil)
	step("mismatch")
	u = begin()
	write(u, bodies[3])
	if _, err := u.Commit(ctx, helloDigest); err == nil {
		try(fmt.Errorf("no error"))
	}
	step("open, stat, walk")
	blob, e := s.Open(ctx, key)
	try(e)
	_, e = io.Copy(io.Discard, blob)
	try(e)
	try(blob.Close())
	_, e = s.Stat(ctx, key)
	try(e)
	for _, e := range s.Walk(ctx) {
		try(e)
	}
	step("delete")
	try(s.Delete(ctx, key))
	step("delete again")
	try(s.Delete(ctx, key))
	step("check")
	try(s.Check(ctx))
	for _, name := range []string{"open", "open again"} {
		step(name)
		other, e := Open(filepath.Join(s.root, "other"), Options{})
		try(e)
		try(other.Close())
	}
	step("end")
	return err
}

const traced = "readlinkat,?readlink,openat,?open,?mkdir,mkdirat,pwrite64,write,ftruncate,fallocate,fdatasync,fsync,sync,syncfs," +
	"?rename,?renameat,renameat2,?link,linkat,?unlink,unlinkat,?rmdir"

func TestSyscalls(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		skip(t, "strace is not installed")
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "trace")
	if err := exec.CommandContext(t.Context(), strace, "-o", out, "true").Run(); err != nil {
		skip(t, "strace may not trace here: "+err.Error())
	}
	root := filepath.Join(dir, "root")
	cmd := childCommand(t, childSyscalls, root, strace, "-f", "-y", "-s", "500", "-e", "trace="+traced, "-e", "signal=none", "-o", out)
	check(t, cmd.Run())

	steps := readTrace(t, out, root)
	for _, want := range wantSyscalls {
		got, calls := sortSyncs(steps[want.step]), sortSyncs(want.calls)
		if !slices.Equal(got, calls) {
			t.Errorf("%s:\n  %s\nwant\n  %s", want.step, strings.Join(got, "\n  "), strings.Join(calls, "\n  "))
		}
	}
	if _, ended := steps["end"]; !ended || len(steps) != len(wantSyscalls)+1 {
		t.Errorf("%d steps were traced, want %d", len(steps), len(wantSyscalls)+1)
	}
}

// sortSyncs sorts each run of directory syncs: they are made at the same time.
func sortSyncs(calls []string) []string {
	sorted := slices.Clone(calls)
	for i := 0; i < len(sorted); i++ {
		start := i
		for i < len(sorted) && strings.HasPrefix(sorted[i], "fsync ") {
			i++
		}
		slices.Sort(sorted[start:i])
	}
	return sorted
}

var (
	callLine    = regexp.MustCompile(`^(\d+) +(\w+)\((.*)$`)
	resumedLine = regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>(.*)$`)
)

// readTrace returns the calls below root that succeeded, by step.
func readTrace(t *testing.T, path, root string) map[string][]string {
	t.Helper()
	f, err := os.Open(path)
	check(t, err)
	defer f.Close()
	names := nameReplacer(root)
	steps, step := make(map[string][]string), ""
	unfinished := make(map[string]string) // by thread
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if m := resumedLine.FindStringSubmatch(line); m != nil {
			line = unfinished[m[1]] + m[2]
		}
		m := callLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if start, ok := strings.CutSuffix(line, " <unfinished ...>"); ok {
			unfinished[m[1]] = start
			continue
		}
		if _, mark, ok := strings.Cut(m[3], `"/berth-step/`); ok {
			step, _, _ = strings.Cut(mark, `"`)
			steps[step] = nil
			continue
		}
		if call := shorten(m[2], m[3], root, names); call != "" && step != "" {
			steps[step] = append(steps[step], call)
		}
	}
	return steps
}

// nameReplacer gives the paths of the layout their names in doc.go.
func nameReplacer(root string) func(string) string {
	blobs := regexp.MustCompile(`^docker/registry/v2/blobs/(sha256|sha512)(/[0-9a-f]{2})?(/[0-9a-f]{64,128})?(/data)?$`)
	return func(path string) string {
		if path == root {
			return "<root>"
		}
		path = strings.TrimPrefix(path, root+"/")
		if m := blobs.FindStringSubmatch(path); m != nil {
			part := []string{"<alg>", "<prefix>", "<hex>", "<data>"}
			return part[strings.Count(strings.TrimPrefix(path, "docker/registry/v2/blobs/"), "/")]
		}
		rest, ok := strings.CutPrefix(path, "_uploads")
		if !ok {
			return path
		}
		if _, ok := parseID(strings.TrimPrefix(rest, "/")); ok {
			return "<upload>"
		}
		return "<uploads>" + rest
	}
}

var pathArgument = regexp.MustCompile(`(?:^\d+<|")(/[^">]*)[">]`)

// shorten renders one call, or nothing for one that failed, read only or went
// elsewhere.
func shorten(call, args, root string, name func(string) string) string {
	var paths []string
	for _, m := range pathArgument.FindAllStringSubmatch(args, -1) {
		if m[1] == root || strings.HasPrefix(m[1], root+"/") {
			paths = append(paths, name(m[1]))
		}
	}
	failed := regexp.MustCompile(`\) += -1 `).MatchString(args)
	if len(paths) == 0 || failed {
		return ""
	}
	switch call {
	case "open", "openat":
		if !strings.Contains(args, "O_CREAT") {
			return ""
		}
		call = "create"
	case "mkdirat":
		call = "mkdir"
	case "renameat", "renameat2":
		call = "rename"
	case "unlinkat":
		call = "unlink"
		if strings.Contains(args, "AT_REMOVEDIR") {
			call = "rmdir"
		}
	}
	return call + " " + strings.Join(paths, " ")
}
