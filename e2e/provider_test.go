package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// person is a user of the provider, in the form of its users file. It has no groups, so that the family name stands in
// for one.
type person struct {
	ID, Username, Password, LastName, Email string
	EmailVerified                           bool
}

// identityProvider is the OpenID provider that zitadel/oidc has as an example: its metadata and keys are where the
// standards want them.
type identityProvider struct {
	dir, issuer, callback string
	program               program
	proc                  *process
}

// nowhere is a callback that nobody has to answer at.
const nowhere = "http://localhost:1/callback"

// startIdentityProvider returns a provider with people, which sends them back to callback.
func startIdentityProvider(t *testing.T, callback string, people ...person) *identityProvider {
	t.Helper()
	p := &identityProvider{dir: workDir(t), callback: callback, program: require(t, "zitadel/server")}
	_, port, _ := strings.Cut(freeAddr(t), ":")
	p.issuer = "http://localhost:" + port + "/"
	p.program = p.program.setenv("PORT="+port, "REDIRECT_URI="+callback, "USERS_FILE="+filepath.Join(p.dir, "users.json"))
	p.start(t, people...)
	return p
}

func (p *identityProvider) start(t *testing.T, people ...person) {
	t.Helper()
	byID := map[string]person{}
	for _, one := range people {
		byID[one.ID] = one
	}
	data, err := json.Marshal(byID)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(p.dir, "users.json"), data, 0o600))
	p.proc = startHelper(t, p.program, filepath.Join(p.dir, "provider.log"), answers(http.DefaultClient, p.issuer+".well-known/openid-configuration"))
}

func (s *server) callback() string { return "http://" + s.addr + "/login/callback" }

// sendTo configures a server to send browsers to the provider.
func (s *server) sendTo(p *identityProvider, more string) []string {
	return []string{
		"BERTH_HTTP_URL=http://" + s.addr,
		fmt.Sprintf(`BERTH_AUTH_OIDC={issuer: %q, client_id: web, client_secret: secret, groups_claim: family_name%s}`, p.issuer, more),
		teamGrants,
	}
}

// idToken logs somebody in by the authorization code flow, as a browser and the client "web" would.
func (p *identityProvider) idToken(t *testing.T, who person) string {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	location := func(resp *http.Response, err error) *url.URL {
		t.Helper()
		must(t, err)
		resp.Body.Close()
		at, err := resp.Location()
		must(t, err)
		return at
	}
	form := location(client.Get(p.issuer + "auth?" + url.Values{
		"client_id": {"web"}, "redirect_uri": {p.callback}, "response_type": {"code"}, "scope": {"openid"}, "state": {"s"},
	}.Encode()))
	back := location(client.PostForm(form.String(), url.Values{
		"username": {who.Username}, "password": {who.Password}, "id": {form.Query().Get("authRequestID")},
	}))
	code := location(client.Get(back.String())).Query().Get("code")
	req, err := http.NewRequestWithContext(t.Context(), "POST", p.issuer+"oauth/token", strings.NewReader(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.callback},
	}.Encode()))
	must(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("web", "secret")
	resp, err := client.Do(req)
	must(t, err)
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"id_token"`
	}
	must(t, json.NewDecoder(resp.Body).Decode(&answer))
	if strings.Count(answer.Token, ".") != 2 {
		t.Fatalf("%s: no ID token for %s", resp.Status, who.Username)
	}
	return answer.Token
}
