package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/auth/personal"
	"github.com/berth-registry/berth/config"
	"github.com/berth-registry/berth/metadata/bolt"
	"github.com/berth-registry/berth/oci"
)

// withCertificate returns a client that shows a certificate; "" is none.
func withCertificate(t *testing.T, cert, key string) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // the tests are about the client
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		transport.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return &http.Client{Transport: transport}
}

// tokenFor asks for a token and returns the scope that it got: "no connection"
// or the status if it got none.
func (i *instance) tokenFor(t *testing.T, client *http.Client, scope string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+i.addr+"/token?scope="+scope, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return "no connection"
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	var answer struct{ Scope string }
	if err != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(body, &answer) != nil {
		return resp.Status
	}
	return answer.Scope
}

// A client certificate is a user, and a reload of the authority counts at once:
// on connections that are open too.
func TestClientCertificates(t *testing.T) {
	i := newInstance(t)
	file := func(name string) string { return filepath.Join(i.dir, name) }
	writeCertificate(t, file("cert.pem"), file("key.pem"), "server")
	for _, name := range []string{"node-7", "node-8", "admin"} {
		writeCertificate(t, file(name+".pem"), file(name+".key"), name)
	}
	trust := func(names ...string) {
		var all []byte
		for _, name := range names {
			pem, err := os.ReadFile(file(name + ".pem"))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, pem...)
		}
		if err := os.WriteFile(file("clients.pem"), all, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trust("node-7", "admin")
	i.write(t, "authenticated", fmt.Sprintf(", tls: {cert: %q, key: %q, client_ca: %q}", file("cert.pem"), file("key.pem"), file("clients.pem")))
	i.start(t, "https", withCertificate(t, "", ""))
	defer i.end(t)

	const scope = "repository:public/app:pull,push" // pull is granted to who is authenticated
	client := func(name string) *http.Client { return withCertificate(t, file(name+".pem"), file(name+".key")) }
	seven, nobody := client("node-7"), withCertificate(t, "", "")
	for _, tc := range []struct {
		client *http.Client
		want   string
	}{
		{nobody, ""},
		{seven, "repository:public/app:pull"},
		{client("node-8"), "no connection"},
		{client("admin"), "403 Forbidden"}, // the name of an account with a password
	} {
		if got := i.tokenFor(t, tc.client, scope); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
	if out, err := i.run("", "user", "list"); err != nil || !strings.Contains(out, "node-7   false            certificate") {
		t.Errorf("%v\n%s", err, out)
	}

	trust("node-8")
	hangUp(t)
	deadline := time.Now().Add(10 * time.Second)
	for i.tokenFor(t, client("node-8"), scope) == "no connection" {
		if time.Now().After(deadline) {
			t.Fatal("the new authority does not count")
		}
	}
	if got := i.tokenFor(t, seven, scope); got != "401 Unauthorized" {
		t.Errorf("on the open connection: %q", got)
	}
	if got := i.tokenFor(t, client("node-7"), scope); got != "no connection" {
		t.Errorf("on a new connection: %q", got)
	}
	if err := os.WriteFile(file("clients.pem"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	hangUp(t)
	if got := i.tokenFor(t, client("node-8"), scope); got == "no connection" {
		t.Error("a bad file has put an end to the old authority")
	}
}

// A directory that cannot be reached is no wrong password, and holds up no
// local account.
func TestDirectoryThatIsDown(t *testing.T) {
	t.Setenv("BERTH_ADMIN_PASSWORD", "admin-password")
	t.Setenv("BERTH_AUTH_LDAP", `{url: "ldap://127.0.0.1:1", base_dn: "dc=example,dc=org"}`)
	i := newInstance(t)
	i.write(t, "anonymous", "")
	i.start(t, "http", http.DefaultClient)
	defer i.end(t)
	for name, want := range map[string]int{"admin": http.StatusOK, "alice": http.StatusServiceUnavailable, "Alice": http.StatusUnauthorized} {
		if got := i.login(t, name, "admin-password"); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}

// A provider that cannot be reached is no reason not to start.
func TestProviderThatIsDown(t *testing.T) {
	t.Setenv("BERTH_HTTP_URL", "https://registry.example.org")
	t.Setenv("BERTH_AUTH_OIDC", `{issuer: "http://127.0.0.1:1", client_id: c}`)
	i := newInstance(t)
	i.write(t, "anonymous", "")
	i.start(t, "http", http.DefaultClient)
	defer i.end(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+i.addr+"/login", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%d", resp.StatusCode)
	}
}

// Each file that is named must be there and be what it is for.
func TestAuthoritiesAreRead(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.pem")
	if err := os.WriteFile(bad, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{bad, bad + ".absent"} {
		c := config.Default()
		c.Auth.LDAP.URL, c.Auth.LDAP.BaseDN, c.Auth.LDAP.CA = "ldaps://h", "dc=x", path
		if _, err := openDirectory(c.Auth.LDAP, nil); err == nil || !strings.HasPrefix(err.Error(), "auth.ldap") {
			t.Errorf("directory: %v", err)
		}
		c.Auth.OIDC.Issuer, c.Auth.OIDC.CA = "https://i", path
		if _, err := openBrowser(c, nil); err == nil || !strings.HasPrefix(err.Error(), "auth.oidc") {
			t.Errorf("browser: %v", err)
		}
		if _, err := newACME(config.ACME{Hosts: []string{"h.example.org"}, CA: path}); err == nil || !strings.HasPrefix(err.Error(), "http.tls.acme.ca") {
			t.Errorf("acme: %v", err)
		}
		if _, err := loadClients(path); err == nil || !strings.HasPrefix(err.Error(), "http.tls.client_ca") {
			t.Errorf("clients: %v", err)
		}
	}
}

// people are accounts with the local user local, and a person of each provider.
func people(t *testing.T) (*account.Accounts, *bolt.Store) {
	t.Helper()
	store, err := bolt.Open(filepath.Join(t.TempDir(), "b"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	accounts, err := account.New(account.Options{Users: store, Cost: 4})
	if err != nil {
		t.Fatal(err)
	}
	if err := accounts.Add(t.Context(), "local", "local-password", false, nil, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, p := range []auth.Person{
		{Provider: auth.ProviderLDAP, Name: "ldap"}, {Provider: auth.ProviderCertificate, Name: "cert"},
		{Provider: "https://id", Subject: "s", Name: "oidc"}, {Provider: "https://other", Subject: "s", Name: "other"},
	} {
		if _, err := accounts.Admit(t.Context(), p, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	longAgo := auth.Person{Provider: "https://id", Subject: "t", Name: "long-ago"}
	if _, err := accounts.Admit(t.Context(), longAgo, time.Now().Add(-browserLogin)); err != nil {
		t.Fatal(err)
	}
	return accounts, store
}

// Who is of a provider that is switched off owns no personal token, and who is
// in the directory owns it as the directory says.
func TestOwners(t *testing.T) {
	accounts, _ := people(t)
	c := config.Default().Auth.LDAP
	c.URL, c.BaseDN = "ldap://127.0.0.1:1", "dc=x"
	directory, err := openDirectory(c, accounts)
	if err != nil {
		t.Fatal(err)
	}
	off, on := owners{accounts: accounts}, owners{accounts, directory, "https://id"}
	for _, tc := range []struct {
		name    string
		off, on error
	}{
		{"local", nil, nil},
		{"cert", auth.ErrBadCredentials, auth.ErrBadCredentials},
		{"oidc", auth.ErrBadCredentials, nil},
		{"long-ago", auth.ErrBadCredentials, auth.ErrBadCredentials}, // also with a token that does not expire
		{"other", auth.ErrBadCredentials, auth.ErrBadCredentials},
		{"ldap", auth.ErrBadCredentials, oci.ErrUnavailable}, // it is asked, and is down
		{"nobody", auth.ErrBadCredentials, auth.ErrBadCredentials},
	} {
		for o, want := range map[*owners]error{&off: tc.off, &on: tc.on} {
			p, err := o.Owner(t.Context(), tc.name)
			if !errors.Is(err, want) || (want == nil) != (err == nil) || err == nil && p.Name != tc.name {
				t.Errorf("%s: %+v, %v, want %v", tc.name, p, err, want)
			}
		}
	}
}

// Browser logins that have expired make room for new ones; nothing else does.
func TestBrowserLoginsMakeRoom(t *testing.T) {
	accounts, store := people(t)
	tokens := personal.New(store, accounts)
	defer func() { _ = tokens.Close() }()
	now := time.Now()
	other := personal.NewToken{Owner: "local", Name: "mine", Expires: now.Add(time.Minute)}
	if _, _, err := tokens.Add(t.Context(), other, now); err != nil {
		t.Fatal(err)
	}
	login := func(now time.Time) error {
		made, err := makeTokens{tokens}.MakeToken(t.Context(), "local", now)
		if err == nil && (!strings.HasPrefix(made.Token, auth.PersonalPrefix) || made.Expires.Sub(now) != browserLogin) {
			t.Errorf("%+v", made)
		}
		return err
	}
	for n := range personal.MaxTokens - 1 {
		if err := login(now.Add(time.Duration(n) * time.Millisecond)); err != nil {
			t.Fatal(n, err)
		}
	}
	if err := login(now.Add(time.Second)); !errors.Is(err, auth.ErrDenied) || !strings.Contains(err.Error(), "revoke one") {
		t.Error(err)
	}
	if err := login(now.Add(browserLogin + time.Hour)); err != nil {
		t.Error(err)
	}
	var left []string
	for token, err := range tokens.List(context.Background(), "local", "") {
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, token.Name)
	}
	if len(left) != 2 || !strings.Contains(strings.Join(left, " "), "mine") {
		t.Errorf("left are %q", left)
	}
}

// What asks for no host gets the first; a port in front answers challenges for
// the hosts and nothing else.
func TestACME(t *testing.T) {
	c, err := loadCertificate(config.TLS{ACME: config.ACME{
		Hosts: []string{"a.example.org", "b.example.org"}, Directory: "https://127.0.0.1:1/", Cache: t.TempDir(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if protos := strings.Join(c.config().NextProtos, " "); protos != "h2 http/1.1 acme-tls/1" {
		t.Errorf("protocols %s", protos)
	}
	for name, want := range map[string]string{"": "127.0.0.1:1", "b.example.org": "127.0.0.1:1", "c.example.org": "not configured"} {
		if _, err := c.config().GetCertificate(&tls.ClientHelloInfo{ServerName: name}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for url, want := range map[string]int{
		"http://a.example.org/": 404, "http://a.example.org/v2/": 404, "http://a.example.org/.well-known/acme-challenge/x": 404,
		"http://a.example.org:80/.well-known/acme-challenge/x": 404, "http://c.example.org/.well-known/acme-challenge/x": 403,
	} {
		w := httptest.NewRecorder()
		c.acme.challenges().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, url, nil))
		if w.Code != want || w.Header().Get("Location") != "" {
			t.Errorf("%s: %d, want %d", url, w.Code, want)
		}
	}
}
