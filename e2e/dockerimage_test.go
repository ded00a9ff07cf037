package e2e

import (
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// buildBusybox builds an image of three layers under ref and returns the text it prints when it runs.
func buildBusybox(t *testing.T, docker program, ref string) string {
	t.Helper()
	dir, text := workDir(t), rand.Text()
	unpackDebian(t, filepath.Join(dir, "root"), busyboxPackages...)
	must(t, os.WriteFile(filepath.Join(dir, "message"), []byte(text), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(`FROM scratch
COPY root/ /
RUN ["/bin/busybox", "--install", "-s", "/bin"]
COPY message /etc/message
CMD ["/bin/sh", "-c", "echo this is $(cat /etc/message)"]
`), 0o644))
	docker.run(t, "build", "--quiet", "--network", "none", "-t", ref, dir)
	return text
}

const nginxConf = `
user root;
error_log stderr;
worker_processes 1;
pid /nginx.pid;
events {}
http {
	access_log off;
	server { listen unix:/e2e/nginx.sock; root /srv; }
}
`

// buildNginx builds an image that serves a page on the socket /e2e/nginx.sock, and returns the page.
func buildNginx(t *testing.T, docker program, ref string) string {
	t.Helper()
	dir, page := workDir(t), "<h1>"+rand.Text()+"</h1>"
	root := filepath.Join(dir, "root")
	unpackDebian(t, root, nginxPackages...)
	for name, text := range map[string]string{
		"etc/passwd": "root:x:0:0::/:/none\n", "etc/group": "root:x:0:\n",
		"etc/nginx/nginx.conf": nginxConf, "srv/index.html": page,
	} {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	must(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(`FROM scratch
COPY root/ /
ENTRYPOINT ["/usr/sbin/nginx"]
CMD ["-g", "daemon off;"]
`), 0o644))
	docker.run(t, "build", "--quiet", "--network", "none", "-t", ref, dir)
	return page
}

// serve runs an image of buildNginx and returns what it answers.
func serve(t *testing.T, docker program, ref string) string {
	t.Helper()
	dir := workDir(t)
	name := docker.run(t, "run", "--detach", "--network", "none", "-v", dir+":/e2e", ref)
	defer func() {
		if t.Failed() {
			t.Log(docker.exec(t, "logs", name).stderr)
		}
		docker.run(t, "rm", "--force", name)
	}()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, "nginx.sock"))
	}}}
	var resp *http.Response
	until(t, 30*time.Second, "the page of nginx", func() bool {
		var err error
		resp, err = client.Get("http://nginx/")
		return err == nil
	})
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	return string(body)
}
