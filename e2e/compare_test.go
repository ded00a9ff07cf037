package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rivalConfig is distribution as its documentation sets it up on a disk, with deletion on: the suite wants it.
const rivalConfig = `
version: 0.1
log: {level: error}
storage:
  filesystem: {rootdirectory: %[2]s}
  delete: {enabled: true}
  cache: {blobdescriptor: inmemory}
http: {addr: %[1]q}
`

// measured is one column of the comparison.
type measured struct {
	conformance report
	syncs       int // of one layer by POST, PATCH, PUT
	binary      int64
	start       time.Duration // until the first answer
}

// TestCompare prints the comparison of the README. It is `make compare`, and no part of the tests: it judges nobody.
func TestCompare(t *testing.T) {
	if os.Getenv("BERTH_COMPARE") == "" {
		t.SkipNow()
	}
	berth := compareBerth(t)
	rival := compareRival(t)
	rows := [][3]string{
		{"", "berth", "distribution v3.1.2"},
		{"---", "---", "---"},
		{"OCI conformance (dev), every option on: failed or skipped of all checks", berth.missed(), rival.missed()},
		{"syncs to make one pushed layer durable (POST, PATCH, PUT)", fmt.Sprint(berth.syncs), fmt.Sprint(rival.syncs)},
		{"binary", megabytes(berth.binary), megabytes(rival.binary)},
	}
	var table strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&table, "| %s | %s | %s |\n", r[0], r[1], r[2])
	}
	fmt.Print(table.String())
	t.Logf("start to first answer: %v, %v", berth.start, rival.start)
}

func (m measured) missed() string {
	return fmt.Sprintf("%d of %d", m.conformance.Failures+m.conformance.Errors+m.conformance.Skipped, m.conformance.Tests)
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

func compareBerth(t *testing.T) (m measured) {
	start := time.Now()
	s := startServer(t)
	m.start = time.Since(start)
	m.binary = fileSize(t, s.berth.path)
	m.syncs = countSyncs(t, s.proc.cmd.Process.Pid, "http://"+s.addr, &admin)
	m.conformance = judge(t, s.addr, "OCI_USERNAME="+admin.name, "OCI_PASSWORD="+admin.password)
	return m
}

func compareRival(t *testing.T) (m measured) {
	registry := require(t, "registry")
	dir, addr := workDir(t), freeAddr(t)
	file := filepath.Join(dir, "config.yaml")
	must(t, os.WriteFile(file, fmt.Appendf(nil, rivalConfig, addr, filepath.Join(dir, "data")), 0o600))
	start := time.Now()
	proc, err := startProcess(registry.with("serve", file), filepath.Join(dir, "log"))
	must(t, err)
	defer func() { _ = proc.stop(10 * time.Second) }()
	until(t, 30*time.Second, "an answer", func() bool {
		resp, err := http.Get("http://" + addr + "/v2/")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
	m.start = time.Since(start)
	m.binary = fileSize(t, registry.path)
	m.syncs = countSyncs(t, proc.cmd.Process.Pid, "http://"+addr, nil)
	m.conformance = judge(t, addr)
	return m
}

// judge runs the conformance suite with everything on and only counts.
func judge(t *testing.T, addr string, env ...string) (r report) {
	dir := workDir(t)
	suite := require(t, "conformance").setenv(everything...).setenv(env...).in(dir)
	suite.setenv("OCI_VERSION=dev", "OCI_REPO1=conformance/repo1", "OCI_REPO2=conformance/repo2",
		"OCI_REGISTRY="+addr, "OCI_TLS=disabled", "OCI_RESULTS_DIR="+dir, "OCI_LOG=error").exec(t)
	must(t, xml.Unmarshal([]byte(readFile(t, filepath.Join(dir, "junit.xml"))), &r))
	return r
}

// countSyncs pushes a layer the way docker does and counts what the server syncs meanwhile. The first push of all makes
// directories, so it is the second that counts.
func countSyncs(t *testing.T, pid int, base string, who *user) int {
	pushLayer(t, base, who, "first")
	dir := workDir(t)
	trace := filepath.Join(dir, "trace")
	strace, err := startProcess(require(t, "strace").with("-f", "-e", "trace=fsync,fdatasync,sync_file_range,syncfs", "-o", trace, "-p", fmt.Sprint(pid)), filepath.Join(dir, "log"))
	must(t, err)
	until(t, 10*time.Second, "strace", func() bool { return strings.Contains(readFile(t, filepath.Join(dir, "log")), "attached") })
	pushLayer(t, base, who, "second")
	must(t, strace.cmd.Process.Signal(syscall.SIGINT))
	<-strace.done
	n := 0
	for line := range strings.Lines(readFile(t, trace)) {
		if strings.Contains(line, "sync") && !strings.Contains(line, "resumed") {
			n++
		}
	}
	return n
}

// pushLayer pushes 64 KiB whose first bytes are text.
func pushLayer(t *testing.T, base string, who *user, text string) {
	body := append([]byte(text), make([]byte, 64<<10)...)
	location := send(t, http.MethodPost, base+"/v2/conformance/layer/blobs/uploads/", who, nil, http.StatusAccepted)
	location = send(t, http.MethodPatch, absolute(base, location), who, body, http.StatusAccepted)
	separator := "?"
	if strings.Contains(location, "?") {
		separator = "&"
	}
	send(t, http.MethodPut, absolute(base, location)+separator+fmt.Sprintf("digest=sha256:%x", sha256.Sum256(body)), who, nil, http.StatusCreated)
}

func absolute(base, location string) string {
	if strings.HasPrefix(location, "/") {
		return base + location
	}
	return location
}

func send(t *testing.T, method, url string, who *user, body []byte, want int) (location string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	must(t, err)
	req.Header.Set("Content-Type", "application/octet-stream")
	if who != nil {
		req.SetBasicAuth(who.name, who.password)
	}
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	resp.Body.Close()
	equal(t, method+" "+url, resp.StatusCode, want)
	return resp.Header.Get("Location")
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return info.Size()
}
