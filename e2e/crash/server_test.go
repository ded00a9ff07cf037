package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/e2e/internal/berth"
)

// server is a berth that is killed again and again; its data stays.
type server struct {
	*berth.Server
	lastToken time.Time
}

// start starts the server and returns when it is ready. One token for
// everything outlives many processes.
func (s *server) start(t *testing.T) {
	t.Helper()
	s.Start(t)
	if time.Since(s.lastToken) < 30*time.Minute {
		return
	}
	var scopes []string
	for w := range writers {
		scopes = append(scopes, fmt.Sprintf("repository:%s:*", repository(w)))
	}
	s.Login(t, scopes...)
	s.lastToken = time.Now()
}

// receiving counts the files of uploads that were under way.
func (s *server) receiving(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.Root, "_uploads"))
	must(t, err)
	return len(entries)
}

// stored reports whether the bytes of a digest have their final name.
func (s *server) stored(digest string) bool {
	hex := strings.TrimPrefix(digest, "sha256:")
	_, err := os.Stat(filepath.Join(s.Root, "docker/registry/v2/blobs/sha256", hex[:2], hex, "data"))
	return err == nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
