package server

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
)

// Account is a name and password at a server, or nothing at one without users.
type Account struct {
	addr           string
	name, password string
}

// Passwords guard servers that live for a benchmark, on 127.0.0.1, with nothing in them.
const (
	admin           = "admin"
	adminPassword   = "password-of-the-benchmark"
	visitor         = "visitor"
	visitorPassword = "password-of-the-visitor"
)

const service = "berth" // auth.service

// Admin is the administrator.
func (s *Server) Admin() Account {
	if !s.Berth {
		return Account{}
	}
	return Account{s.Addr, admin, adminPassword}
}

// Visitor is a user without groups, who sees nothing of what the benchmark stores.
func (s *Server) Visitor() Account { return Account{s.Addr, visitor, visitorPassword} }

// AddVisitor makes that user by berth's own command, over the admin socket.
func (s *Server) AddVisitor(ctx context.Context) error {
	args := append([]string{"user", "add", visitor, "--password-stdin"}, s.args(s.Addr, s.Dir)[1:]...)
	cmd := exec.CommandContext(ctx, s.path, args...)
	cmd.Dir, cmd.Env = s.Dir, clean(os.Environ())
	cmd.Stdin = strings.NewReader(visitorPassword + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("user add: %w: %s", err, out)
	}
	return nil
}

// Basic returns the Authorization header line with name and password.
func (a Account) Basic() []byte {
	if a.name == "" {
		return nil
	}
	return []byte("Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(a.name+":"+a.password)) + "\r\n")
}

// TokenPath returns what to ask the server for a token with some scopes, or "".
func (a Account) TokenPath(scopes ...string) string {
	if a.name == "" {
		return ""
	}
	return "/token?" + url.Values{"service": {service}, "scope": scopes}.Encode()
}

// Token returns the Authorization header line for a token with some scopes, or nothing.
func (a Account) Token(scopes ...string) ([]byte, error) {
	path := a.TokenPath(scopes...)
	if path == "" {
		return nil, nil
	}
	body, err := fetchOK(a.addr, path, a.Basic())
	if err != nil {
		return nil, fmt.Errorf("token: %w", err)
	}
	return ParseToken(body)
}

// ParseToken makes an Authorization header line of the answer of a token endpoint.
func ParseToken(body []byte) ([]byte, error) {
	var answer struct{ Token string }
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("token: %w", err)
	}
	if answer.Token == "" {
		return nil, fmt.Errorf("token: none in %s", body)
	}
	return []byte("Authorization: Bearer " + answer.Token + "\r\n"), nil
}
