package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
)

// addRobot makes a robot, with rules of its own.
func (s *server) addRobot(t *testing.T, name, rule string) user {
	t.Helper()
	return user{"robot$" + name, s.berth.run(t, "robot", "add", name, "--grant", rule, "--config", s.config)}
}

// addToken makes a personal token of u; flags narrow it. id is what it is revoked by.
func (s *server) addToken(t *testing.T, u user, name string, flags ...string) (token user, id string) {
	t.Helper()
	add := s.berth.with("token", "add", name, "--owner", u.name, "-o", "json", "--config", s.config)
	var made struct {
		Token  struct{ ID string }
		Secret string
	}
	must(t, json.Unmarshal([]byte(add.run(t, flags...)), &made))
	return user{u.name, made.Secret}, made.Token.ID
}

// refreshToken asks for one as `docker login` does.
func (s *server) refreshToken(t *testing.T, u user) string {
	t.Helper()
	query := url.Values{"service": {"berth"}, "client_id": {"docker"}, "offline_token": {"true"}}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.addr+"/token?"+query.Encode(), nil)
	must(t, err)
	req.SetBasicAuth(u.name, u.password)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"refresh_token"`
	}
	must(t, json.NewDecoder(resp.Body).Decode(&answer))
	if answer.Token == "" {
		t.Fatalf("%s: no refresh token for %s", resp.Status, u.name)
	}
	return answer.Token
}
