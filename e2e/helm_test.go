package e2e

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// helmSession keeps charts as files. A chart is pushed to the repository above it, and its version is its tag.
type helmSession struct {
	dockerConfig
	helm    program
	dir     string // of packages: what is pushed and, below pulled, what was pulled
	printed string // by the last pull
}

func TestClientHelm(t *testing.T) { helmClient(t).walk(t) }

func helmClient(t *testing.T) client {
	return client{name: "helm", version: moduleVersion(t, requireSlow(t, "helm")), open: openHelm}
}

func openHelm(t *testing.T, s *server) session {
	dir := workDir(t)
	must(t, os.Mkdir(filepath.Join(dir, "pulled"), 0o755))
	config := dockerConfig{filepath.Join(dir, "registry.json"), s.addr}
	helm := requireSlow(t, "helm").setenv("HOME="+dir, "DOCKER_CONFIG="+dir, "HELM_CONFIG_HOME="+dir, "HELM_CACHE_HOME="+dir, "HELM_DATA_HOME="+dir, "HELM_REGISTRY_CONFIG="+config.file)
	return &helmSession{dockerConfig: config, helm: helm.in(dir), dir: dir}
}

var chartRef = regexp.MustCompile(`^(.*)/(.*):(.*)$`)

// chart splits HOST/alice/app:1.0.0 into oci://HOST/alice, app and 1.0.0.
func chart(ref string) (parent, name, version string) {
	parts := chartRef.FindStringSubmatch(ref)
	return "oci://" + parts[1], parts[2], parts[3]
}

func (c *helmSession) login(t *testing.T, u user) result {
	return c.helm.input(u.password).exec(t, "registry", "login", "--plain-http", "-u", u.name, "--password-stdin", c.host)
}

func (c *helmSession) logout(t *testing.T) result {
	return c.helm.exec(t, "registry", "logout", c.host)
}

func (c *helmSession) prepare(t *testing.T, ref string) (text string) {
	_, name, version := chart(ref)
	source, text := filepath.Join(workDir(t), name), "text: "+rand.Text()
	must(t, os.Mkdir(source, 0o755))
	must(t, os.WriteFile(filepath.Join(source, "Chart.yaml"), fmt.Appendf(nil, "apiVersion: v2\nname: %s\nversion: %s\n", name, version), 0o644))
	must(t, os.WriteFile(filepath.Join(source, "values.yaml"), []byte(text), 0o644))
	c.helm.run(t, "package", source)
	return text
}

func (c *helmSession) push(t *testing.T, ref string) result {
	parent, name, version := chart(ref)
	return c.helm.exec(t, "push", "--plain-http", name+"-"+version+".tgz", parent)
}

func (c *helmSession) pull(t *testing.T, ref string) result {
	parent, name, version := chart(ref)
	res := c.helm.exec(t, "pull", "--plain-http", "--destination", "pulled", "--version", version, parent+"/"+name)
	c.printed = res.stdout + res.stderr
	return res
}

var helmDigest = regexp.MustCompile(`Digest: (\S+)`)

func (c *helmSession) look(t *testing.T, ref string) (digest, text string) {
	_, name, version := chart(ref)
	if found := helmDigest.FindStringSubmatch(c.printed); found != nil {
		digest = found[1]
	}
	return digest, c.helm.run(t, "show", "values", filepath.Join("pulled", name+"-"+version+".tgz"))
}
