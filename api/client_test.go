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
	"time"

	"github.com/berth-registry/berth/api"
	"github.com/berth-registry/berth/auth/personal"
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
	if got := strings.Join(names, " "); got != "admin alice carol dave" || users[3].Groups[0] != "dev" || users[3].Created.IsZero() || !users[2].Static {
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
		if (test.err == nil) != (test.text == "") || test.err != nil && !strings.Contains(test.err.Error(), test.text) {
			t.Errorf("%v, want %q", test.err, test.text)
		}
	}
}

// TestClientOfEverything calls whatever else there is, over the socket.
func TestClientOfEverything(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	c := serve(t, s.handler)
	ctx := t.Context()
	me, err := c.Me(ctx)
	s.must(err)
	s.must(c.SetGroups(ctx, "alice", []string{"qa"}))
	imported, err := c.ImportUsers(ctx, "erin:"+s.hash()+"\n")
	s.must(err)
	made, err := c.AddRobot(ctx, api.NewRobot{Name: "ci", Rules: []string{"a:pull"}})
	s.must(err)
	renewed, err := c.RenewRobot(ctx, "ci")
	s.must(err)
	s.must(c.DisableRobot(ctx, "ci", true))
	robots, err := c.Robots(ctx)
	s.must(err)
	token, err := c.AddToken(ctx, api.NewToken{Owner: "alice", Name: "laptop", Expires: s.now.Add(time.Hour)})
	s.must(err)
	none, err := c.Tokens(ctx, "carol")
	s.must(err)
	tokens, err := c.Tokens(ctx, "")
	s.must(err)
	e, err := c.Explain(ctx, api.Subject{User: "alice", Groups: []string{"dev", "x"}, Client: "10.0.0.1"}, "pull,push", "team/a")
	s.must(err)
	denied, err := c.Audit(ctx, api.AuditQuery{Outcome: "denied"})
	s.must(err)
	trail, err := c.Audit(ctx, api.AuditQuery{Principal: "admin socket", Action: "admin", Outcome: "ok", Since: s.now.Add(-time.Second), N: 2})
	s.must(err)
	switch {
	case len(denied) != 0 || len(trail) != 2 || trail[0].Request != "addToken" || trail[0].Reference != token.Token.ID:
		t.Errorf("audit: %+v %+v", denied, trail)
	case me.Principal != "admin socket" || !me.Administrator:
		t.Errorf("me: %+v", me)
	case len(imported.Added) != 1:
		t.Errorf("imported: %+v", imported)
	case made.Login != "robot$ci" || made.Secret == renewed.Secret || renewed.Robot.Name != "ci":
		t.Errorf("robots: %+v %+v", made, renewed)
	case len(robots) != 1 || !robots[0].Disabled:
		t.Errorf("robots: %+v", robots)
	case len(none) != 0 || len(tokens) != 1 || tokens[0].ID != token.Token.ID || !strings.HasPrefix(token.Secret, "berth_pat_"):
		t.Errorf("tokens: %+v %+v %+v", none, tokens, token)
	case !e.Allowed || e.Client != "10.0.0.1" || strings.Join(e.Groups, " ") != "qa dev x":
		t.Errorf("explained: %+v", e)
	}
	s.must(c.RevokeToken(ctx, token.Token.ID))
	s.must(c.RemoveRobot(ctx, "ci"))
	for _, test := range []struct {
		err  error
		text string
	}{
		{c.RevokeToken(ctx, token.Token.ID), "no such token"},
		{c.RemoveRobot(ctx, "ci"), "no such robot"},
		{c.DisableRobot(ctx, "../users", true), "no such robot"},
		{c.SetGroups(ctx, "nobody", nil), "no such user"},
		{second(c.Audit(ctx, api.AuditQuery{Repository: "../x"})), "query"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.text) {
			t.Errorf("%v, want %q", test.err, test.text)
		}
	}
}

// TestClientReadsPages reads listings of more than one page, in their order.
func TestClientReadsPages(t *testing.T) {
	t.Parallel()
	var asked []string
	c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RawQuery)
		switch r.URL.Query().Get("last") {
		case "":
			w.Header().Set("Link", `</api/v1/robots?last=b>; rel="next"`)
			_, _ = w.Write([]byte(`[{"name":"a"},{"name":"b"}]`))
		case "b":
			_, _ = w.Write([]byte(`[{"name":"c"}]`))
		}
	}))
	robots, err := c.Robots(t.Context())
	if err != nil || len(robots) != 3 || robots[2].Name != "c" || strings.Join(asked, " ") != "n=1000 last=b&n=1000" {
		t.Errorf("%+v %v, asked %v", robots, err, asked)
	}
}

// TestClientOverTheNetwork shows its token, to one server alone.
func TestClientOverTheNetwork(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was sent elsewhere, with %v", r.URL, r.Header)
	}))
	defer elsewhere.Close()
	mux := http.NewServeMux()
	mux.Handle("/api/", s.network)
	mux.Handle("/away/", http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	hs := httptest.NewServer(mux)
	defer hs.Close()
	token, _, err := s.tokens.Add(t.Context(), personal.NewToken{Owner: "admin", Name: "x"}, s.now)
	s.must(err)
	for _, test := range []struct{ server, token, err string }{
		{hs.URL, token, ""},
		{hs.URL + "/", token, ""},
		{hs.URL, "", "no credentials"},
		{hs.URL, token + "x", "wrong user name or password"},
		{hs.URL + "/away", token, "the server answered 307"},
		{"http://127.0.0.1:1", token, "refused"},
	} {
		c, err := api.NewClient(test.server, test.token)
		s.must(err)
		users, err := c.Users(t.Context())
		if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) || err == nil && len(users) != 3 {
			t.Errorf("%s: %v, %d users", test.server, err, len(users))
		}
		if err != nil && strings.Contains(err.Error(), "berth_pat_") {
			t.Errorf("the error has the token: %v", err)
		}
	}
}

func TestNewClientRefuses(t *testing.T) {
	t.Parallel()
	for _, server := range []string{"", "registry.example.org", "ftp://a", "http://", "https:///x", "http://u:p@h", "http://h?x=y", "http://h#f", "unix://", "unix://run/s", "unix:", "http://a b", "://"} {
		if c, err := api.NewClient(server, ""); err == nil || c != nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: %v", server, err)
		}
	}
	path := socket(t)
	c, err := api.NewClient("unix://"+path, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Users(t.Context()); err == nil || !strings.Contains(err.Error(), "no server listens on "+path) {
		t.Error(err)
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

func second[T any](_ T, err error) error { return err }
