package filesystem

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// Some tests need another process: to kill it, trace it or limit it. It is this
// test binary again, told by its environment what to do.
const (
	childRole = "BERTH_FILESYSTEM_CHILD"
	childRoot = "BERTH_FILESYSTEM_ROOT"

	childHold     = "hold"
	childFileSize = "file size"
	childCommits  = "commits"
	childSyscalls = "syscalls"
)

func TestMain(m *testing.M) {
	roles := map[string]func(context.Context, *Store) error{
		childHold:     hold,
		childFileSize: writeTooMuch,
		childCommits:  commitForEver,
		childSyscalls: makeSyscalls,
	}
	role, ok := roles[os.Getenv(childRole)]
	if !ok {
		os.Exit(m.Run())
	}
	s, err := Open(os.Getenv(childRoot), Options{})
	if err == nil {
		err = role(context.Background(), s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func childCommand(t *testing.T, role, root string, wrapper ...string) *exec.Cmd {
	t.Helper()
	args := append(wrapper, os.Args[0])
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Env = append(os.Environ(), childRole+"="+role, childRoot+"="+root)
	cmd.Stderr = os.Stderr
	return cmd
}

type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Scanner
}

func startChild(t *testing.T, role, root string) *child {
	t.Helper()
	cmd := childCommand(t, role, root)
	stdout, err := cmd.StdoutPipe()
	check(t, err)
	stdin, err := cmd.StdinPipe() // closed with this process, so that no child outlives it
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return &child{t: t, cmd: cmd, lines: bufio.NewScanner(stdout)}
}

// await reads lines up to want.
func (c *child) await(want string) {
	c.t.Helper()
	for c.lines.Scan() {
		if c.lines.Text() == want {
			return
		}
	}
	c.t.Fatalf("the child ended before it said %q", want)
}

func (c *child) wait() {
	c.t.Helper()
	check(c.t, c.cmd.Wait())
}

func (c *child) kill() {
	c.t.Helper()
	check(c.t, c.cmd.Process.Kill())
	for c.lines.Scan() { // Wait closes the pipe
	}
	_ = c.cmd.Wait()
}

func hold(context.Context, *Store) error {
	fmt.Println("held")
	_, err := os.Stdin.Read(make([]byte, 1))
	return err
}

const fileSizeLimit = 100_000

// writeTooMuch meets the limit in the middle of a Write.
func writeTooMuch(ctx context.Context, s *Store) error {
	signal.Ignore(syscall.SIGXFSZ) // EFBIG instead
	limit := syscall.Rlimit{Cur: fileSizeLimit, Max: fileSizeLimit}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	body := content(fileSizeLimit+1000, 1)
	u, err := s.Begin(ctx, storage.Hint{})
	if err != nil {
		return err
	}
	if n, err := u.Write(body[:60_000]); err != nil {
		return fmt.Errorf("wrote %d: %w", n, err)
	}
	n, err := u.Write(body[60_000:])
	if !errors.Is(err, syscall.EFBIG) || n != 40_000 || u.Size() != fileSizeLimit {
		return fmt.Errorf("Write = %d, %w, size %d", n, err, u.Size())
	}
	if _, err := u.Write(nil); !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("Write after an error: %w", err)
	}
	state, err := u.Suspend(ctx)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.root, "state"), state, 0o600); err != nil {
		return err
	}
	if err := refuseBroken(ctx, s, body); err != nil {
		return err
	}
	fmt.Println("suspended")
	return nil
}

// refuseBroken wants no Commit after a failed Write, not even of what was taken.
func refuseBroken(ctx context.Context, s *Store, body []byte) error {
	u, err := s.Begin(ctx, storage.Hint{})
	if err != nil {
		return err
	}
	_, _ = u.Write(body)
	if _, err := u.Commit(ctx, digestOf(body[:u.Size()])); !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("Commit after a failed Write: %w", err)
	}
	if entries, err := os.ReadDir(s.uploads); err != nil || len(entries) != 1 {
		return fmt.Errorf("_uploads holds %v, %w", entries, err)
	}
	return nil
}

// commitForEver stores blobs and says what it is about to do, so that the parent
// can kill it there, and which digests it was told are durable.
func commitForEver(ctx context.Context, s *Store) error {
	sync := s.syncDir
	s.syncDir = func(path string) error {
		fmt.Println("sync directory")
		return sync(path)
	}
	sizes := []int{0, 1, 4096, 100_000, 1 << 20}
	seed := uint64(os.Getpid()) << 8
	for i := 0; ; i++ {
		body := content(sizes[i%len(sizes)], seed+uint64(i))
		a := algorithms[i/len(sizes)%len(algorithms)]
		d, err := pushInTwo(ctx, s, body, a)
		if err != nil {
			return err
		}
		fmt.Println("stored", d)
	}
}

func pushInTwo(ctx context.Context, s *Store, body []byte, a oci.Algorithm) (oci.Digest, error) {
	u, err := s.Begin(ctx, storage.Hint{})
	if err != nil {
		return "", err
	}
	fmt.Println("write")
	if _, err := u.Write(body[:len(body)/2]); err != nil {
		return "", err
	}
	fmt.Println("suspend")
	state, err := u.Suspend(ctx)
	if err != nil {
		return "", err
	}
	if u, err = s.Resume(ctx, state); err != nil {
		return "", err
	}
	if _, err := u.Write(body[len(body)/2:]); err != nil {
		return "", err
	}
	d := oci.FromBytes(a, body)
	fmt.Println("commit")
	_, err = u.Commit(ctx, d)
	return d, err
}
