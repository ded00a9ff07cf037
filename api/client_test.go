package api_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-registry/berth/api"
)

// socket is a path that is short enough for a socket, wherever the test runs.
func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "berth")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func listen(t *testing.T, path string) *net.UnixListener {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// serve serves h on a unix socket and returns a client of it.
func serve(t *testing.T, h http.Handler) *api.Client {
	t.Helper()
	path := socket(t)
	l := listen(t, path)
	hs := httptest.NewUnstartedServer(h)
	hs.Listener = l
	hs.Start()
	t.Cleanup(hs.Close)
	return api.Dial(path)
}

// TestClient does all that `berth user` does, over a socket.
func TestClient(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	c := serve(t, s.handler)
	ctx := t.Context()
	s.must(c.AddUser(ctx, api.NewUser{Name: "dave", Password: password, Groups: []string{"dev"}}))
	users, err := c.Users(ctx)
	s.must(err)
	var names []string
	for _, u := range users {
		names = append(names, u.Name)
	}
	if got := strings.Join(names, " "); got != "admin carol dave" || users[2].Groups[0] != "dev" || users[2].Created.IsZero() || !users[1].Static {
		t.Errorf("users %+v", users)
	}
	s.must(c.SetPassword(ctx, "dave", "another horse"))
	if !s.login("dave", "another horse") {
		t.Error("the password was not changed")
	}
	s.must(c.RemoveUser(ctx, "dave"))
	for _, test := range []struct {
		err  error
		text string
	}{
		{c.RemoveUser(ctx, "dave"), "there is no such user"},
		{c.RemoveUser(ctx, "a b"), "there is no such user"},
		{c.RemoveUser(ctx, "../admin"), "there is no such user"},
		{c.RemoveUser(ctx, ""), "there is no such endpoint"},
		{c.RemoveUser(ctx, "admin"), "this is the last administrator"},
		{c.SetPassword(ctx, "a?b#c", "another horse"), "there is no such user"},
		{c.SetPassword(ctx, "carol", "another horse"), "can only be changed there"},
		{c.AddUser(ctx, api.NewUser{Name: "erin", Password: "short"}), "at least 8 characters"},
		{c.AddUser(ctx, api.NewUser{Name: "admin", Password: password}), "this user exists already"},
		{c.AddUser(ctx, api.NewUser{Name: "Erin", Password: password}), "a user name is lower-case"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.text) {
			t.Errorf("%v, want %q", test.err, test.text)
		}
	}
}

// TestClientUnreachable says what to do.
func TestClientUnreachable(t *testing.T) {
	t.Parallel()
	nobody := socket(t)
	stale := socket(t)
	l := listen(t, stale)
	l.SetUnlinkOnClose(false) // as after a kill
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"no file": nobody, "nobody listens": stale} {
		_, err := api.Dial(path).Users(t.Context())
		if err == nil || !strings.Contains(err.Error(), "no server listens on "+path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := api.Dial(nobody).Users(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was given up: %v", err)
	}
}

// TestClientPermission needs a user whom a mode stops.
func TestClientPermission(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("root may open every socket")
	}
	path := socket(t)
	listen(t, path)
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := api.Dial(path).Users(t.Context()); err == nil || !strings.Contains(err.Error(), "may be opened by the server's own user only") {
		t.Error(err)
	}
}

// TestClientOddServer is something else on the socket.
func TestClientOddServer(t *testing.T) {
	t.Parallel()
	c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			http.Error(w, "<html>", http.StatusBadGateway)
			return
		}
		_, _ = w.Write([]byte("<html>"))
	}))
	if err := c.RemoveUser(t.Context(), "dave"); err == nil || err.Error() != "the server answered 502 Bad Gateway" {
		t.Error(err)
	}
	if users, err := c.Users(t.Context()); err == nil {
		t.Errorf("%v", users)
	}
}
