package e2e

import "testing"

// buildahSession builds and runs in a chroot: it needs no runtime.
type buildahSession struct {
	dockerConfig
	buildah program
}

func TestClientBuildah(t *testing.T) { buildahClient(t).walk(t) }

func buildahClient(t *testing.T) client {
	needRoot(t)
	return client{name: "buildah", version: printedVersion(t, require(t, "buildah")), open: openBuildah}
}

func openBuildah(t *testing.T, s *server) session {
	buildah, config := ownContainers(t, s, require(t, "buildah").setenv("BUILDAH_ISOLATION=chroot"))
	return &buildahSession{config, buildah}
}

func (c *buildahSession) login(t *testing.T, u user) result {
	return c.buildah.input(u.password).exec(t, "login", "--tls-verify=false", "-u", u.name, "--password-stdin", c.host)
}

func (c *buildahSession) logout(t *testing.T) result {
	return c.buildah.exec(t, "logout", c.host)
}

func (c *buildahSession) prepare(t *testing.T, ref string) (text string) {
	dir, text := buildContext(t)
	c.buildah.run(t, "build", "--quiet", "-t", ref, dir)
	return text
}

func (c *buildahSession) push(t *testing.T, ref string) result {
	return c.buildah.exec(t, "push", "--tls-verify=false", ref)
}

func (c *buildahSession) pull(t *testing.T, ref string) result {
	return c.buildah.exec(t, "pull", "--tls-verify=false", ref)
}

func (c *buildahSession) look(t *testing.T, ref string) (digest, text string) {
	container := c.buildah.run(t, "from", "--pull-never", ref)
	digest = c.buildah.run(t, "inspect", "--format", "{{.FromImageDigest}}", container)
	return digest, c.buildah.run(t, "run", container, "--", "/bin/busybox", "cat", "/e2e.txt")
}
