package server

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/oci"
)

// listRepositories answers GET /v2/_catalog with what the caller may pull and
// nothing else. A page looks at a bounded number of names, so it may be short
// and still have a next.
func (s *Server) listRepositories(w http.ResponseWriter, r *http.Request, c call) error {
	after, err := s.cursors.open(c.Query.Last)
	if err != nil || after != "" && after == c.Query.Last && !s.mayPull(c.who, after) {
		// A name that the caller may not see would tell by its answer where
		// other names lie that it may not see either.
		return oci.ErrBadRequest.With("last is neither from a Link of this registry nor a repository that you may pull")
	}
	page, last, more, err := s.visible(r, c.who, after, c.Query.N)
	if err != nil {
		return err
	}
	if more {
		setNext(w.Header(), "/v2/_catalog", url.Values{
			"n":    {strconv.Itoa(c.Query.N)},
			"last": {s.cursor(last, page)},
		})
	}
	return writeJSON(w, http.StatusOK, struct {
		Repositories []string `json:"repositories"`
	}{page})
}

// visible collects at most n repositories after a name that the principal may
// pull. Last is the last one looked at.
func (s *Server) visible(r *http.Request, who auth.Principal, after string, n int) (page []string, last string, more bool, err error) {
	page = []string{}
	if n == 0 {
		return page, "", false, nil
	}
	scanned := 0
	for repo, err := range s.registry.Repositories(r.Context(), after) {
		if err != nil {
			return nil, "", false, err
		}
		if len(page) == n || scanned == maxScan {
			return page, last, true, nil
		}
		if s.mayPull(who, repo) {
			page = append(page, repo)
		}
		last = repo
		scanned++
	}
	return page, last, false, nil
}

// cursor says where the next page begins: by name where the caller has seen
// the name, sealed where it has not.
func (s *Server) cursor(last string, page []string) string {
	if len(page) > 0 && page[len(page)-1] == last {
		return last
	}
	return s.cursors.seal(last)
}
