package e2e

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// conformanceFloor keeps a suite that hardly ran from passing: with everything on it makes 1032 checks.
const conformanceFloor = 1000

// everything switches on each option of the suite that can be on together with pushing (see its config.go).
var everything = []string{
	"OCI_CACHE_AUTH=true",
	"OCI_API_PING=true",
	"OCI_API_PULL=true",
	"OCI_API_PUSH=true",
	"OCI_API_BLOBS_ATOMIC=true",
	"OCI_API_BLOBS_DELETE=true",
	"OCI_API_BLOBS_DIGEST_HEADER=true",
	"OCI_API_BLOBS_MOUNT_ANONYMOUS=true",
	"OCI_API_BLOBS_UPLOAD_CANCEL=true",
	"OCI_API_MANIFESTS_ATOMIC=true",
	"OCI_API_MANIFESTS_DELETE=true",
	"OCI_API_MANIFESTS_DIGEST_HEADER=true",
	"OCI_API_MANIFESTS_TAG_PARAM=true",
	"OCI_API_TAGS_ATOMIC=true",
	"OCI_API_TAGS_DELETE=true",
	"OCI_API_TAGS_LIST=true",
	"OCI_API_REFERRER=true",
	"OCI_DATA_IMAGE=true",
	"OCI_DATA_INDEX=true",
	"OCI_DATA_INDEX_LIST=true",
	"OCI_DATA_SPARSE=true",
	"OCI_DATA_ARTIFACT=true",
	"OCI_DATA_SUBJECT=true",
	"OCI_DATA_SUBJECT_MISSING=true",
	"OCI_DATA_ARTIFACT_LIST=true",
	"OCI_DATA_SUBJECT_LIST=true",
	"OCI_DATA_DATA_FIELD=true",
	"OCI_DATA_NONDISTRIBUTABLE=true",
	"OCI_DATA_CUSTOM_FIELDS=true",
	"OCI_DATA_NO_LAYERS=true",
	"OCI_DATA_EMPTY_BLOB=true",
	"OCI_DATA_SHA512=true",
}

// report is the suite's junit.xml. Its exit code says nothing of skipped checks, and nothing at all when it could not start.
type report struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
	Disabled int `xml:"disabled,attr"`
	Cases    []struct {
		Name   string `xml:"name,attr"`
		Status string `xml:"status,attr"`
		Why    string `xml:"system-out"`
		Dump   string `xml:"system-err"`
	} `xml:"testsuite>testcase"`
}

func TestConformance(t *testing.T) {
	suite := require(t, "conformance").setenv(everything...)
	s := startServer(t)
	u := s.addUser(t, "conformance")
	suite = suite.setenv("OCI_USERNAME="+u.name, "OCI_PASSWORD="+u.password,
		"OCI_REPO1=conformance/repo1", "OCI_REPO2=conformance/repo2")
	for _, version := range []string{"1.1", "dev"} { // the second run meets what the first one left
		t.Run(version, func(t *testing.T) {
			r := conformance(t, suite.setenv("OCI_VERSION="+version), s)
			equal(t, "disabled", r.Disabled, 0)
			if r.Tests < conformanceFloor {
				t.Errorf("%d checks, want at least %d", r.Tests, conformanceFloor)
			}
		})
	}
}

// TestConformanceAnonymous runs the reading half of the suite without any account, on an image and its referrer. The
// filter keeps out the tests of uploads: without pushing they are disabled, and then the suite panics over its report.
// Digest headers cannot be demanded: the suite overlooks them on manifests whose content it does not know.
func TestConformanceAnonymous(t *testing.T) {
	suite := require(t, "conformance")
	s := startServer(t)
	image := newImage(t, ociTypes, "amd64")
	referrer := newReferrer(t, image.manifest, "application/vnd.example.report")
	s.push(t, admin, "public/app", "1", image)
	s.push(t, admin, "public/app", referrer.manifest.digest, referrer)
	suite = suite.setenv("OCI_VERSION=1.1", "OCI_REPO1=public/app", "OCI_API_PUSH=false", "OCI_API_BLOBS_DELETE=false",
		"OCI_API_MANIFESTS_DELETE=false", "OCI_API_TAGS_DELETE=false", "OCI_RO_DATA_TAGS=1",
		"OCI_FILTER_TEST=OCI Conformance Test/read-only",
		"OCI_RO_DATA_MANIFESTS="+image.manifest.digest+" "+referrer.manifest.digest,
		"OCI_RO_DATA_BLOBS="+image.config.digest+" "+image.layers[0].digest,
		"OCI_RO_DATA_REFERRERS="+image.manifest.digest)
	r := conformance(t, suite, s)
	if ran := r.Tests - r.Disabled; ran < 10 {
		t.Errorf("%d checks ran, want at least 10", ran)
	}
}

// conformance runs the suite and demands that nothing failed and nothing was skipped.
func conformance(t *testing.T, suite program, s *server) report {
	t.Helper()
	dir := workDir(t)
	res := suite.in(dir).setenv("OCI_REGISTRY="+s.addr, "OCI_TLS=disabled", "OCI_RESULTS_DIR="+dir, "OCI_LOG=error").exec(t)
	file := filepath.Join(dir, "junit.xml")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("the suite wrote no report: %v\n%s", err, res.stderr)
	}
	var r report
	must(t, xml.Unmarshal(data, &r))
	r.explain(t)
	figure(t, "%d checks: %d failures, %d errors, %d skipped, %d disabled", r.Tests, r.Failures, r.Errors, r.Skipped, r.Disabled)
	equal(t, "exit code", res.code, 0)
	equal(t, "failures", r.Failures, 0)
	equal(t, "errors", r.Errors, 0)
	equal(t, "skipped", r.Skipped, 0)
	keep(t, file)
	keep(t, filepath.Join(dir, "report.html"))
	return r
}

// explain names what did not pass, with the traffic of the first three.
func (r report) explain(t *testing.T) {
	t.Helper()
	shown := 0
	for _, c := range r.Cases {
		if c.Status == "passed" || c.Status == "skipped" && c.Why == "" { // the latter is disabled by configuration
			continue
		}
		t.Logf("%s: %s\n%s", c.Status, c.Name, c.Why)
		if shown++; shown <= 3 {
			t.Log(strings.TrimSpace(c.Dump))
		}
	}
}
