package e2e

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
)

// browser is a person's browser: it keeps cookies and follows redirects.
type browser struct{ http.Client }

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &browser{http.Client{Jar: jar}}
}

// get returns the page that a URL leads to, and its address.
func (b *browser) read(t *testing.T, resp *http.Response, err error) (page string, at *url.URL, status int) {
	t.Helper()
	must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	return string(body), resp.Request.URL, resp.StatusCode
}

var loginForm = regexp.MustCompile(`action="([^"]+)"[\s\S]*name="id" value="([^"]+)"`)

// login opens /login and fills in the form of the provider.
func (b *browser) login(t *testing.T, s *server, who person) (page string, at *url.URL, status int) {
	t.Helper()
	resp, err := b.Get("http://" + s.addr + "/login")
	page, at, status = b.read(t, resp, err)
	form := loginForm.FindStringSubmatch(page)
	if status != 200 || form == nil {
		t.Fatalf("no login form at %s: %d\n%s", at, status, page)
	}
	action, err := at.Parse(html.UnescapeString(form[1]))
	must(t, err)
	resp, err = b.PostForm(action.String(), url.Values{"id": {html.UnescapeString(form[2])}, "username": {who.Username}, "password": {who.Password}})
	return b.read(t, resp, err)
}

var (
	shownToken   = regexp.MustCompile(`<pre id="token">(berth_pat_[A-Za-z0-9_-]+)</pre>`)
	shownCommand = regexp.MustCompile(`<pre id="command">([^<]+)</pre>`)
)

// token logs in and returns the user and password that the page shows.
func (b *browser) token(t *testing.T, s *server, who person) (user, string) {
	t.Helper()
	page, at, status := b.login(t, s, who)
	token, command := shownToken.FindStringSubmatch(page), shownCommand.FindStringSubmatch(page)
	if status != 200 || token == nil || command == nil || at.Path != "/login/callback" {
		t.Fatalf("no token at %s: %d\n%s", at.Path, status, page)
	}
	name, is := strings.CutPrefix(command[1], "docker login "+s.addr+" --username ")
	equal(t, "the command begins as it must", is, true)
	return user{name, token[1]}, page
}

func TestBrowserLogin(t *testing.T) {
	s := newServer(t, "")
	alice := person{ID: "id-1", Username: "Alice@localhost", Password: "alice-secret", LastName: "dev"}
	p := startIdentityProvider(t, s.callback(), alice)
	s.env = s.sendTo(p, "")
	s.start(t)
	img := newImage(t, ociTypes, "amd64")
	layout := writeLayout(t, img.manifest, img)

	b := newBrowser(t)
	who, page := b.token(t, s, alice)
	equal(t, "user", who.name, "alice")
	contains(t, "page", page, "Your groups: dev.")
	crane := s.crane(t, who)
	crane.run(t, "push", layout, s.ref("alice/app:1"))
	crane.run(t, "push", layout, s.ref("team/app:1"))
	equal(t, "digest", s.digest(t, who, "team/app", "1"), img.manifest.digest)
	contains(t, "berth user list", s.berth.run(t, "user", "list", "--config", s.config), "alice   false   dev      "+p.issuer)

	trail := s.berth.run(t, "audit", "--principal", "alice", "-o", "json", "--config", s.config)
	contains(t, "berth audit", trail, `"credential": "browser_login"`)
	contains(t, "berth audit", trail, `"request": "login.callback"`)
	lacks(t, "berth audit", trail, "berth_pat_")

	// The page cannot be had again, and neither can the answer be used by another browser.
	for _, other := range []*browser{b, newBrowser(t)} {
		resp, err := other.Get("http://" + s.addr + "/login/callback?code=x&state=y")
		again, _, status := other.read(t, resp, err)
		equal(t, "status", status, 400)
		lacks(t, "page", again, "berth_pat_")
	}

	// Groups are those of the last login: with the next one the tokens of earlier ones have lost them too.
	alice.LastName = "none"
	p.proc.kill()
	p.start(t, alice)
	second, page := newBrowser(t).token(t, s, alice)
	contains(t, "page", page, "Your groups: none.")
	if second.password == who.password {
		t.Error("the second login shows the token of the first")
	}
	for _, u := range []user{who, second} {
		client := s.crane(t, u)
		client.fail(t, "push", layout, s.ref("team/app:2"))
		client.run(t, "push", layout, s.ref("alice/app:2"))
	}

	// Another person who has got the name gets nothing of the account, and who had it has it still.
	mallory := person{ID: "id-2", Username: "alice@localhost", Password: "mallory-secret", LastName: "dev"}
	alice.Username = "alina@localhost"
	p.proc.kill()
	p.start(t, alice, mallory)
	page, _, status := newBrowser(t).login(t, s, mallory)
	equal(t, "status", status, 403)
	contains(t, "page", page, "belongs to another account")
	third, _ := newBrowser(t).token(t, s, alice)
	equal(t, "user after another name at the provider", third.name, "alice")

	// Who is removed is out, with all tokens.
	s.berth.run(t, "user", "remove", "alice", "--config", s.config)
	for _, u := range []user{who, second, third} {
		equal(t, "a token of who was removed", s.status(t, u), 401)
	}
	log, err := os.ReadFile(s.proc.log)
	must(t, err)
	for _, secret := range []string{who.password, third.password, "code=", "state=", "alice-secret"} {
		lacks(t, "log of berth", string(log), secret)
	}
}

// TestBrowserLoginOfOthers lets in nobody who has an account of berth's own, or whom the configuration does not want.
func TestBrowserLoginOfOthers(t *testing.T) {
	s := newServer(t, "")
	in := person{ID: "id-1", Username: "in", Password: "x", LastName: "dev", Email: "in@example.org", EmailVerified: true}
	out := person{ID: "id-2", Username: "out", Password: "x", LastName: "dev", Email: "out@example.com", EmailVerified: true}
	root := person{ID: "id-3", Username: "admin", Password: "x", LastName: "ops", Email: "root@example.org", EmailVerified: true}
	ops := person{ID: "id-4", Username: "operator", Password: "x", LastName: "ops", Email: "operator@example.org", EmailVerified: true}
	odd := person{ID: "id-5", Username: "library", Password: "x", LastName: "dev", Email: "odd@example.org", EmailVerified: true}
	p := startIdentityProvider(t, s.callback(), in, out, root, ops, odd)
	s.env = s.sendTo(p, `, admin_group: ops, require: {email: "*@example.org"}`)
	s.start(t)
	for who, want := range map[person]string{out: "auth.oidc.require", root: "belongs to another account", odd: "reserved"} {
		page, _, status := newBrowser(t).login(t, s, who)
		equal(t, "status of "+who.Username, status, 403)
		contains(t, "page of "+who.Username, page, want)
		lacks(t, "page of "+who.Username, page, "berth_pat_")
	}
	img := newImage(t, ociTypes, "amd64")
	layout := writeLayout(t, img.manifest, img)
	user, _ := newBrowser(t).token(t, s, in)
	s.crane(t, user).fail(t, "push", layout, s.ref("anywhere/app:1"))
	operator, _ := newBrowser(t).token(t, s, ops)
	s.crane(t, operator).run(t, "push", layout, s.ref("anywhere/app:1"))
}
