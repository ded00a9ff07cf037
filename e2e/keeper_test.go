package e2e

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// keeper is a session whose client keeps what it logged in with, until it logs out.
type keeper interface {
	// kept says what it keeps: keptNothing, keptPassword, or what else there is.
	kept(t *testing.T) string
	logout(t *testing.T) result
}

const (
	keptNothing  = "nothing"
	keptPassword = "password"
	keptIdentity = "identity token"
)

// kept is what the client of a session keeps.
func kept(t *testing.T, one session) string {
	t.Helper()
	if k, can := one.(keeper); can {
		return k.kept(t)
	}
	return keptNothing
}

// keepsSecret fails if a client keeps anything else than the secret of a robot or personal token: neither ever gets a
// refresh token.
func keepsSecret(t *testing.T, one session) {
	t.Helper()
	if k, can := one.(keeper); can {
		equal(t, "what is kept of a secret", k.kept(t), keptPassword)
	}
}

// dockerConfig is a file in which a client keeps credentials as docker does, for all sessions that have one.
type dockerConfig struct{ file, host string }

type dockerAuths struct {
	Auths map[string]dockerAuth `json:"auths"`
}

// dockerAuth has name:password, of which the password is empty where there is an identity token: a refresh token.
type dockerAuth struct {
	Auth     []byte `json:"auth"`
	Identity string `json:"identitytoken,omitempty"`
}

func (d dockerConfig) kept(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(d.file)
	if errors.Is(err, fs.ErrNotExist) {
		return keptNothing
	}
	must(t, err)
	var config dockerAuths
	must(t, json.Unmarshal(data, &config))
	_, password, _ := strings.Cut(string(config.Auths[d.host].Auth), ":")
	return keptOf(password, config.Auths[d.host].Identity)
}

func keptOf(password, identity string) string {
	switch {
	case password != "" && identity != "":
		return keptPassword + " and " + keptIdentity
	case password != "":
		return keptPassword
	case identity != "":
		return keptIdentity
	}
	return keptNothing
}

// adopt gives the client what `docker login` keeps of a user where refresh tokens are on.
func (d dockerConfig) adopt(t *testing.T, u user, identity string) {
	t.Helper()
	d.write(t, dockerAuth{[]byte(u.name + ":"), identity})
}

func (d dockerConfig) write(t *testing.T, auth dockerAuth) {
	t.Helper()
	data, err := json.Marshal(dockerAuths{map[string]dockerAuth{d.host: auth}})
	must(t, err)
	must(t, os.WriteFile(d.file, data, 0o600))
}
