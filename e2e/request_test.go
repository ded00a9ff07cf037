package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// request is one line of the server's access log.
type request struct {
	Msg        string `json:"msg"`
	Method     string `json:"method"`
	Path       string `json:"path"`
	Kind       string `json:"kind"`
	Repository string `json:"repository"`
	Reference  string `json:"reference"`
	Status     int    `json:"status"`
	Sent       int64  `json:"sent"`
	Received   int64  `json:"received"`
	Principal  string `json:"principal"`
	UserAgent  string `json:"user_agent"`
	Error      string `json:"error"`
}

func (r request) String() string {
	return fmt.Sprintf("%-6s %s -> %d by %q sent %d received %d %s", r.Method, r.Path, r.Status, r.Principal, r.Sent, r.Received, r.Error)
}

type requests []request

// sentinel marks paths of the harness itself.
const sentinel = "/v2/e2e-sentinel/tags/list-"

// mark returns a position in the access log; everything a client has been answered before lies in front of it.
func (s *server) mark(t *testing.T) int {
	t.Helper()
	s.probes++
	path := fmt.Sprintf("%s%d", sentinel, s.probes)
	resp, err := s.client.Get(s.scheme + "://" + s.addr + path)
	must(t, err)
	resp.Body.Close()
	needle := fmt.Appendf(nil, "%q", path)
	end := 0
	until(t, 5*time.Second, "an access log line for "+path, func() bool {
		log, err := os.ReadFile(s.proc.log)
		must(t, err)
		found := bytes.Index(log, needle)
		end = bytes.LastIndexByte(log, '\n') + 1
		return found >= 0 && found < end
	})
	return end
}

// since returns what the server has answered since mark.
func (s *server) since(t *testing.T, mark int) requests {
	t.Helper()
	s.mark(t)
	return s.requests(t, mark)
}

func (s *server) requests(t *testing.T, mark int) requests {
	t.Helper()
	log, err := os.ReadFile(s.proc.log)
	must(t, err)
	var all requests
	lines := bufio.NewScanner(bytes.NewReader(log[mark:]))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r request
		if json.Unmarshal(lines.Bytes(), &r) == nil && r.Msg == "request" && !strings.HasPrefix(r.Path, sentinel) {
			all = append(all, r)
		}
	}
	must(t, lines.Err())
	return all
}

// find returns the requests of a method (of several: "PATCH|PUT") whose path matches pattern, with one of the statuses
// (none given: any).
func (rs requests) find(method, pattern string, status ...int) requests {
	path, methods := regexp.MustCompile(pattern), strings.Split(method, "|")
	var found requests
	for _, r := range rs {
		if slices.Contains(methods, r.Method) && path.MatchString(r.Path) && (len(status) == 0 || slices.Contains(status, r.Status)) {
			found = append(found, r)
		}
	}
	return found
}

// want fails unless exactly n requests match.
func (rs requests) want(t *testing.T, n int, method, pattern string, status ...int) {
	t.Helper()
	if got := len(rs.find(method, pattern, status...)); got != n {
		t.Errorf("%d requests %s %s with status %v, want %d, of:\n%v", got, method, pattern, status, n, rs)
	}
}

// wantSome fails unless a request matches.
func (rs requests) wantSome(t *testing.T, method, pattern string, status ...int) {
	t.Helper()
	if len(rs.find(method, pattern, status...)) == 0 {
		t.Errorf("no request %s %s with status %v, of:\n%v", method, pattern, status, rs)
	}
}

func (rs requests) String() string {
	var b strings.Builder
	for _, r := range rs {
		fmt.Fprintln(&b, " ", r)
	}
	return b.String()
}

// wrote returns the requests that changed something.
func (rs requests) wrote() requests {
	return slices.DeleteFunc(slices.Clone(rs), func(r request) bool {
		read := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Path == "/token"
		return read || r.Status >= 300
	})
}

// received and sent sum the bodies.
func (rs requests) received() (n int64) {
	for _, r := range rs {
		n += r.Received
	}
	return n
}

func (rs requests) sent() (n int64) {
	for _, r := range rs {
		n += r.Sent
	}
	return n
}
