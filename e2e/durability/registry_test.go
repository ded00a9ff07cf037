package durability

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-registry/berth/e2e/internal/berth"
)

// registry is a server with an image that was pushed while all was well.
type registry struct {
	*berth.Server
	c             *berth.Client
	config, layer []byte // in repo
	image         []byte // tagged "stable"
	reads         int    // that went well
	location      string // of a session that is open
	sessions      bool   // can be read though nothing can be written
}

// newRegistry starts a server whose data lie below a directory.
func newRegistry(t *testing.T, data string) *registry {
	t.Helper()
	r := newServer(t, data)
	r.start(t)
	r.push(t)
	r.copied(t, r.image)
	return r
}

// newServer prepares a server whose data will lie below a directory.
func newServer(t *testing.T, data string) *registry {
	t.Helper()
	r := &registry{Server: berth.New(t), config: content(100, 1), layer: content(10_000, 2)}
	r.image = image("stable", r.config, r.layer)
	r.Root, r.DB, r.Key = data, filepath.Join(data, "berth.db"), filepath.Join(data, "token.key")
	return r
}

// push pushes the image, as it was pushed while all was well.
func (r *registry) push(t *testing.T) {
	t.Helper()
	for _, b := range [][]byte{r.config, r.layer} {
		r.want(t, 201, "POST", blobs(repo, "uploads/?digest="+berth.Digest(b)), octets, b)
	}
	r.want(t, 201, "PUT", manifests(repo, "stable"), imageType, r.image)
}

func (r *registry) start(t *testing.T) {
	t.Helper()
	r.Start(t)
	r.Login(t, scopes...)
	r.c = r.Client()
}

func (r *registry) do(t *testing.T, method, path, media string, body []byte) berth.Answer {
	t.Helper()
	a, err := r.c.Do(method, path, media, body)
	must(t, err)
	return a
}

func (r *registry) want(t *testing.T, status int, method, path, media string, body []byte) berth.Answer {
	t.Helper()
	a := r.do(t, method, path, media, body)
	if a.Status != status {
		t.Fatalf("%s %s: %d, want %d: %.200q\n%s", method, path, a.Status, status, a.Body, r.Logs())
	}
	return a
}

// session opens an upload session and sends what it begins with.
func (r *registry) session(t *testing.T, body []byte) (location string) {
	t.Helper()
	location = r.want(t, 202, "POST", blobs(repo, "uploads/"), "", nil).Location
	if body != nil {
		r.want(t, 202, "PATCH", location, octets, body)
	}
	return location
}

// brim fills the disk, and then the last block of the log of the sessions: one
// more record needs another block. It returns the sessions that it opened.
func (r *registry) brim(t *testing.T, d disk) (opened []string) {
	t.Helper()
	d.leave(t, 0, plenty)
	for range os.Getpagesize() / 50 { // bytes of the shortest record, and less
		a := r.do(t, "POST", blobs(repo, "uploads/"), "", nil)
		if a.Status != 202 {
			diskFull.check(t, "a session more than fits", a)
			return opened
		}
		opened = append(opened, a.Location)
	}
	t.Fatalf("%d sessions fit into the last block of a log", len(opened))
	return nil
}

// cancelAll ends sessions for good.
func (r *registry) cancelAll(t *testing.T, sessions []string) {
	t.Helper()
	for _, location := range sessions {
		r.want(t, 204, "DELETE", location, "", nil)
		r.want(t, 404, "GET", location, "", nil)
	}
}

// stands wants a session to have taken so many bytes.
func (r *registry) stands(t *testing.T, location string, size int) {
	t.Helper()
	want := fmt.Sprintf("0-%d", max(size-1, 0))
	if got := r.want(t, 204, "GET", location, "", nil).Header.Get("Range"); got != want {
		t.Errorf("the session stands at %s, want %s", got, want)
	}
}

// readable reads what is there in every way and wants all of it. without leaves
// out the ways that need a file of storage.
func (r *registry) readable(t *testing.T, without bool) {
	t.Helper()
	type get struct {
		path string
		want []byte // nil: something
	}
	gets := []get{
		{manifests(repo, "stable"), r.image},
		{manifests(repo, berth.Digest(r.image)), r.image},
		{"/v2/" + repo + "/tags/list", nil},
		{"/v2/" + repo + "/referrers/" + berth.Digest(r.image), nil},
		{"/v2/_catalog", nil},
		{"/v2/", nil},
	}
	if !without {
		gets = append(gets, get{blobs(repo, berth.Digest(r.config)), r.config}, get{blobs(repo, berth.Digest(r.layer)), r.layer})
	}
	for _, g := range gets {
		a, err := r.c.Do("GET", g.path, "", nil)
		if err != nil || a.Status != 200 || g.want != nil && !bytes.Equal(a.Body, g.want) {
			t.Errorf("GET %s: %v, %d: %.200q", g.path, err, a.Status, a.Body)
			return
		}
		r.reads++
	}
	if a, err := r.c.Do("HEAD", blobs(repo, berth.Digest(r.layer)), "", nil); err != nil || a.Status != 200 {
		t.Errorf("HEAD: %v, %d", err, a.Status)
	}
}

// reading reads all the time while something else is done.
func (r *registry) reading(t *testing.T, during func()) {
	t.Helper()
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			r.readable(t, false)
			select {
			case <-done:
				return
			default:
			}
		}
	}()
	during()
	close(done)
	<-ended
}

// absent wants a path to be unknown, and not half there.
func (r *registry) absent(t *testing.T, path string) {
	t.Helper()
	r.want(t, 404, "GET", path, "", nil)
	r.want(t, 404, "HEAD", path, "", nil)
}

func (r *registry) present(t *testing.T, path string, want []byte) {
	t.Helper()
	if a := r.want(t, 200, "GET", path, "", nil); !bytes.Equal(a.Body, want) {
		t.Errorf("GET %s: %d bytes, want %d others", path, len(a.Body), len(want))
	}
}

// failure is an answer that blames the server: its status, the one error of
// its body, and nothing of what happened inside.
type failure struct {
	status        int
	code, message string
}

var (
	diskFull    = failure{507, "UNAVAILABLE", "the registry has no space left"}
	unavailable = failure{503, "UNAVAILABLE", "the service is temporarily unavailable"}
	unknown     = failure{500, "UNKNOWN", "an internal error occurred"}
)

func (f failure) check(t *testing.T, what string, a berth.Answer) {
	t.Helper()
	var body struct {
		Errors []struct {
			Code, Message string
			Detail        any
		}
	}
	err := json.Unmarshal(a.Body, &body)
	if a.Status != f.status || err != nil || len(body.Errors) != 1 || body.Errors[0].Code != f.code || body.Errors[0].Message != f.message || body.Errors[0].Detail != nil {
		t.Errorf("%s: %d %.200q, want %d %q", what, a.Status, a.Body, f.status, f.message)
	}
	if again := a.Header.Get("Retry-After"); (again != "") != (f.status == 503) {
		t.Errorf("%s: %d with Retry-After %q", what, a.Status, again)
	}
}

// checks wants the parts that /readyz names to be as they are here.
func (r *registry) checks(t *testing.T, storage, metadata string) {
	t.Helper()
	want, status := map[string]string{"storage": storage, "metadata": metadata}, 503
	if storage == "ok" && metadata == "ok" {
		status = 200
	}
	if got, parts := r.Ready(); got != status || fmt.Sprint(parts) != fmt.Sprint(want) {
		t.Errorf("/readyz: %d %v, want %d %v\n%s", got, parts, status, want, r.Logs())
	}
}

// receiving lists the files of uploads that have not ended.
func (r *registry) receiving(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(r.Root, "_uploads"))
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// user runs berth user with arguments and a password.
func (r *registry) user(t *testing.T, args ...string) (said string, err error) {
	t.Helper()
	cmd := r.Command(t, append([]string{"user"}, args...)...)
	cmd.Stdin = strings.NewReader("correct-horse-" + args[0] + "\n")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// copied waits until a manifest has been copied to storage, or its copy has
// failed: that is beside the answer.
func (r *registry) copied(t *testing.T, manifest []byte) {
	t.Helper()
	hex := strings.TrimPrefix(berth.Digest(manifest), "sha256:")
	until(t, "the copy of a manifest", func() bool {
		_, err := os.Stat(filepath.Join(r.Root, "docker/registry/v2/blobs/sha256", hex[:2], hex, "data"))
		return err == nil || strings.Contains(r.Logs(), hex)
	})
}
