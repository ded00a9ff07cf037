package e2e

import (
	"encoding/json"
	"testing"
)

// regctlSession copies images from and to layouts.
type regctlSession struct {
	layouts
	dockerConfig // which it reads only
	regctl       program
	own          string // file that it keeps credentials in
}

func TestClientRegctl(t *testing.T) { regctlClient(t).walk(t) }

func regctlClient(t *testing.T) client {
	return client{name: "regctl", version: moduleVersion(t, require(t, "regctl")), deletes: "tag", open: openRegctl}
}

func openRegctl(t *testing.T, s *server) session {
	dir := workDir(t)
	own := dir + "/regctl.json"
	regctl := require(t, "regctl").setenv("REGCTL_CONFIG="+own, "DOCKER_CONFIG="+dir, "HOME="+dir)
	regctl.run(t, "registry", "set", "--tls", "disabled", "--skip-check", s.addr)
	return &regctlSession{newLayouts(t), dockerConfig{dir + "/config.json", s.addr}, regctl, own}
}

func (c *regctlSession) login(t *testing.T, u user) result {
	return c.regctl.input(u.password).exec(t, "registry", "login", "-u", u.name, "--pass-stdin", c.host)
}

func (c *regctlSession) logout(t *testing.T) result {
	return c.regctl.exec(t, "registry", "logout", c.host)
}

func (c *regctlSession) kept(t *testing.T) string {
	t.Helper()
	var config struct {
		Hosts map[string]struct{ Pass, Token string }
	}
	must(t, json.Unmarshal([]byte(readFile(t, c.own)), &config))
	return keptOf(config.Hosts[c.host].Pass, config.Hosts[c.host].Token)
}

func (c *regctlSession) push(t *testing.T, ref string) result {
	return c.regctl.exec(t, "image", "copy", "ocidir://"+c.source+":e2e", ref)
}

func (c *regctlSession) pull(t *testing.T, ref string) result {
	return c.regctl.exec(t, "image", "copy", ref, "ocidir://"+c.pulled+":e2e")
}

func (c *regctlSession) remove(t *testing.T, ref string) result {
	return c.regctl.exec(t, "tag", "delete", ref)
}
