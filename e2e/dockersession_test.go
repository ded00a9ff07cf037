package e2e

import (
	"strings"
	"testing"
)

// dockerSession is a client of an engine that others use too: its store is made empty before a pull.
type dockerSession struct {
	dockerConfig
	docker program
}

func TestClientDocker(t *testing.T) { dockerClient(t).walk(t) }

func dockerClient(t *testing.T) client {
	e := dockerEngine(t)
	return client{name: "docker", version: printedVersion(t, require(t, "dockerd")), open: e.open}
}

func (e engine) open(t *testing.T, s *server) session {
	dir := workDir(t)
	return &dockerSession{dockerConfig{dir + "/config.json", s.addr}, e.docker(t).setenv("DOCKER_CONFIG=" + dir)}
}

func (c *dockerSession) login(t *testing.T, u user) result {
	return c.docker.input(u.password).exec(t, "login", c.host, "-u", u.name, "--password-stdin")
}

func (c *dockerSession) logout(t *testing.T) result {
	return c.docker.exec(t, "logout", c.host)
}

func (c *dockerSession) prepare(t *testing.T, ref string) (text string) {
	dir, text := buildContext(t)
	c.docker.run(t, "build", "--quiet", "--network", "none", "-t", ref, dir)
	return text
}

func (c *dockerSession) push(t *testing.T, ref string) result {
	return c.docker.exec(t, "push", ref)
}

func (c *dockerSession) pull(t *testing.T, ref string) result {
	c.docker.exec(t, "image", "rm", ref)
	return c.docker.exec(t, "pull", ref)
}

func (c *dockerSession) look(t *testing.T, ref string) (digest, text string) {
	_, digest, _ = strings.Cut(repoDigests(t, c.docker, ref), "@")
	return digest, c.docker.run(t, "run", "--rm", "--network", "none", ref)
}
