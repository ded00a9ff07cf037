package e2e

import "testing"

// regctlSession copies images from and to layouts.
type regctlSession struct {
	layouts
	regctl program
	host   string
}

func TestClientRegctl(t *testing.T) {
	client{name: "regctl", version: moduleVersion(t, require(t, "regctl")), deletes: "tag", open: openRegctl}.walk(t)
}

func openRegctl(t *testing.T, s *server) session {
	dir := workDir(t)
	regctl := require(t, "regctl").setenv("REGCTL_CONFIG="+dir+"/config.json", "DOCKER_CONFIG="+dir, "HOME="+dir)
	regctl.run(t, "registry", "set", "--tls", "disabled", "--skip-check", s.addr)
	return &regctlSession{newLayouts(t), regctl, s.addr}
}

func (c *regctlSession) login(t *testing.T, u user) result {
	return c.regctl.input(u.password).exec(t, "registry", "login", "-u", u.name, "--pass-stdin", c.host)
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
