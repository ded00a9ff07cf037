package e2e

import "testing"

// podmanSession builds and runs with runc; there is no daemon.
type podmanSession struct {
	dockerConfig
	podman program
}

func TestClientPodman(t *testing.T) { podmanClient(t).walk(t) }

func podmanClient(t *testing.T) client {
	needRoot(t)
	require(t, "runc")
	return client{name: "podman", version: printedVersion(t, require(t, "podman")), open: openPodman}
}

func openPodman(t *testing.T, s *server) session {
	podman, config := ownContainers(t, s, require(t, "podman").with("--runtime", "runc"))
	return &podmanSession{config, podman}
}

func (c *podmanSession) login(t *testing.T, u user) result {
	return c.podman.input(u.password).exec(t, "login", "--tls-verify=false", "-u", u.name, "--password-stdin", c.host)
}

func (c *podmanSession) logout(t *testing.T) result {
	return c.podman.exec(t, "logout", c.host)
}

func (c *podmanSession) prepare(t *testing.T, ref string) (text string) {
	dir, text := buildContext(t)
	c.podman.run(t, "build", "--quiet", "--network", "none", "-t", ref, dir)
	return text
}

func (c *podmanSession) push(t *testing.T, ref string) result {
	return c.podman.exec(t, "push", "--tls-verify=false", ref)
}

func (c *podmanSession) pull(t *testing.T, ref string) result {
	return c.podman.exec(t, "pull", "--tls-verify=false", ref)
}

func (c *podmanSession) look(t *testing.T, ref string) (digest, text string) {
	digest = c.podman.run(t, "image", "inspect", "--format", "{{.Digest}}", ref)
	return digest, c.podman.run(t, "run", "--rm", "--network", "none", "--ulimit", "host", ref)
}
