package bolt

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// child is what the test binary does when it is started by a test: it pushes
// and deletes until it is killed, and prints what it was told is done. With a
// limit for files it fills the database instead.
func child(path string) {
	s, err := Open(path, Options{})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	if os.Getenv("BERTH_BOLT_FULL") != "" {
		fillUp(s)
		return
	}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				if err := childRound(s, fmt.Sprintf("%d-%d-%d", os.Getpid(), w, i)); err != nil {
					fmt.Println("error", err)
				}
			}
		})
	}
	wg.Wait()
}

// childRound prints each line in one write: only what has come out counts.
func childRound(s *Store, name string) error {
	m, err := childImage(name)
	if err != nil {
		return err
	}
	session := metadata.Session{ID: "s" + name, Principal: "alice", Version: 1}
	if err := s.PutSession(ctx, session); err != nil {
		return err
	}
	fmt.Println("session", name)
	fmt.Println("ending", name)
	if err := s.LinkBlob(ctx, "r", testBlob(name), session.ID); err != nil {
		return err
	}
	fmt.Println("linked", name)
	if err := s.PutManifest(ctx, "r", metadata.PutManifest{Manifest: m, Tags: []string{name}, Now: now}); err != nil {
		return err
	}
	fmt.Println("pushed", name)
	if !strings.HasSuffix(name, "3") {
		return nil
	}
	fmt.Println("deleting", name)
	if err := s.DeleteManifest(ctx, "r", m.Digest); err != nil {
		return err
	}
	fmt.Println("deleted", name)
	return nil
}

func childImage(name string) (*oci.Manifest, error) {
	b := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"c","digest":%q,"size":1},"layers":[]}`,
		oci.MediaTypeImageManifest, testBlob(name).Digest)
	return oci.ParseManifest("", b, oci.SHA256)
}

func startChild(t *testing.T, path string, env ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(append(os.Environ(), "BERTH_BOLT_CHILD="+path), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	return cmd, bufio.NewScanner(out)
}

// TestKill kills a process that pushes, at some moment, and looks whether all
// it was told is there, ten times on the same database.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "berth.db")
	said := map[string]map[string]bool{}
	for _, verb := range []string{"session", "ending", "linked", "pushed", "deleting", "deleted"} {
		said[verb] = map[string]bool{}
	}
	for range 10 {
		cmd, lines := startChild(t, path)
		killAfter := 1 + rand.IntN(400)
		for n := 0; lines.Scan(); n++ {
			verb, name, _ := strings.Cut(lines.Text(), " ")
			if said[verb] == nil {
				t.Fatal(lines.Text())
			}
			said[verb][name] = true
			if n == killAfter {
				ok(t, cmd.Process.Kill())
			}
		}
		_ = cmd.Wait() // "signal: killed"
		s := open(t, path)
		verify(t, s)
		compareSaid(t, s, said)
		ok(t, s.Close())
	}
	t.Logf("%d pushed, %d deleted", len(said["pushed"]), len(said["deleted"]))
}

func compareSaid(t *testing.T, s *Store, said map[string]map[string]bool) {
	t.Helper()
	for name := range said["session"] {
		_, err := s.Session(ctx, "s"+name)
		if gone := errors.Is(err, fs.ErrNotExist); gone && !said["ending"][name] || !gone && said["linked"][name] {
			t.Errorf("session %s: %v", name, err)
		}
	}
	for name := range said["linked"] {
		_, err := s.Blob(ctx, "r", testBlob(name).Digest)
		ok(t, err)
	}
	for name := range said["pushed"] {
		m, err := childImage(name)
		ok(t, err)
		got, err := s.Manifest(ctx, "r", oci.Reference{Tag: name}, true)
		switch {
		case said["deleted"][name]:
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s was deleted: %v", name, err)
			}
		case said["deleting"][name] && errors.Is(err, fs.ErrNotExist):
		case err != nil || string(got.Bytes) != string(m.Bytes):
			t.Errorf("%s was pushed: %v", name, err)
		}
	}
}

// fillUp runs into the limit for the size of files, as into a full disk, has
// it lifted, and goes on.
func fillUp(s *Store) {
	signal.Ignore(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	report := func(what string, err error) bool {
		if err != nil {
			fmt.Println("error", what, err)
		}
		return err == nil
	}
	if !report("getrlimit", syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit)) {
		return
	}
	low := syscall.Rlimit{Cur: uint64(s.Stats().Size), Max: limit.Max}
	if !report("setrlimit", syscall.Setrlimit(syscall.RLIMIT_FSIZE, &low)) {
		return
	}
	n := 0
	for ; ; n++ {
		b := testBlob(fmt.Sprint(n))
		b.Key = storage.Key(strings.Repeat("k", 1<<20))
		err := s.LinkBlob(ctx, "r", b, "")
		if err == nil {
			continue
		}
		if !errors.Is(err, storage.ErrNoSpace) {
			report("full", err)
		}
		break
	}
	_, err := s.Blob(ctx, "r", testBlob("0").Digest)
	report("read while full", err)
	report("a session while full", s.PutSession(ctx, metadata.Session{ID: "s", Version: 1}))
	report("check while full", s.Check(ctx))
	report("setrlimit", syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	report("write again", s.LinkBlob(ctx, "r", testBlob("again"), ""))
	report("close", s.Close())
	fmt.Println("stored", n)
}

func TestFullDiskHeals(t *testing.T) {
	path := filepath.Join(t.TempDir(), "berth.db")
	cmd, lines := startChild(t, path, "BERTH_BOLT_FULL=1")
	n := 0
	for lines.Scan() {
		if _, err := fmt.Sscanf(lines.Text(), "stored %d", &n); err != nil {
			t.Error(lines.Text())
		}
	}
	ok(t, cmd.Wait())
	if n == 0 {
		t.Fatal("nothing was stored")
	}
	s := open(t, path)
	verify(t, s)
	for i := range n {
		_, err := s.Blob(ctx, "r", testBlob(fmt.Sprint(i)).Digest)
		ok(t, err)
	}
	if _, err := s.Blob(ctx, "r", testBlob(fmt.Sprint(n)).Digest); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was refused: %v", err)
	}
	_, err := s.Blob(ctx, "r", testBlob("again").Digest)
	ok(t, err)
}
