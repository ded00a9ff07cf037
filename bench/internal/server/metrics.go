package server

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Counts are the requests that berth says it has answered.
type Counts struct {
	V2     int64 // below /v2/<name>/ and _catalog
	Failed int64 // with a status of 500 and above
}

// Counts asks berth's /metrics.
func (s *Server) Counts() (Counts, error) {
	body, err := fetchOK(s.Addr, "/metrics", nil)
	if err != nil {
		return Counts{}, err
	}
	return parseCounts(bytes.NewReader(body))
}

// v2Kinds begin the kinds of berth's distribution API, but for "base".
var v2Kinds = []string{"manifest.", "blob.", "upload.", "tag.", "referrer.", "repository."}

func parseCounts(r io.Reader) (c Counts, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), `berth_http_requests_total{kind="`)
		if !ok {
			continue
		}
		kind, rest, _ := strings.Cut(rest, `",status="`)
		status, value, ok := strings.Cut(rest, `"} `)
		n, err := strconv.ParseFloat(value, 64)
		if !ok || err != nil {
			return c, fmt.Errorf("/metrics: %q cannot be read", lines.Text())
		}
		if status >= "500" {
			c.Failed += int64(n)
		}
		for _, prefix := range v2Kinds {
			if strings.HasPrefix(kind, prefix) {
				c.V2 += int64(n)
			}
		}
	}
	return c, lines.Err()
}
