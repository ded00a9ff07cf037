package server

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/oci"
)

// Limits of a search page; docker asks for 25 and allows 100.
const (
	searchPage    = 25
	maxSearchPage = 100
)

// searchPing answers what docker asks before it searches.
func (s *Server) searchPing(w http.ResponseWriter, _ *http.Request) (call, error) {
	w.Header().Set("X-Docker-Registry-Standalone", "true")
	return call{}, writeJSON(w, http.StatusOK, true)
}

type searchResult struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Stars       int    `json:"star_count"`
	Official    bool   `json:"is_official"`
	Automated   bool   `json:"is_automated"`
}

// search answers `docker search host:port/term`, the one survivor of Docker's
// first registry API. Docker sends a password or nothing and understands no
// challenge, so who sends nothing is anonymous; nobody sees more than may be
// pulled.
func (s *Server) search(w http.ResponseWriter, r *http.Request) (call, error) {
	who, err := s.auth.Authenticate(r)
	if err != nil && !errors.Is(err, auth.ErrNoCredentials) {
		return call{}, s.refused(r, Request{}, err)
	}
	c := call{who: who}
	if err := s.gate.Stands(r.Context(), who, s.now()); err != nil {
		return c, s.refused(r, Request{}, err)
	}
	term := strings.ToLower(r.URL.Query().Get("q"))
	n, err := pageSize(r.URL.Query().Get("n"))
	if err != nil {
		return c, err
	}
	results, err := s.matches(r, who, term, n)
	if err != nil {
		return c, err
	}
	return c, writeJSON(w, http.StatusOK, struct {
		Query   string         `json:"query"`
		Count   int            `json:"num_results"`
		Results []searchResult `json:"results"`
	}{term, len(results), results})
}

func pageSize(s string) (int, error) {
	if s == "" {
		return searchPage, nil
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, oci.ErrBadRequest.With("n is not a number of entries")
	}
	return int(min(n, maxSearchPage)), nil
}

// matches looks at a bounded number of names for those that contain the term.
func (s *Server) matches(r *http.Request, who auth.Principal, term string, n int) ([]searchResult, error) {
	scanned := 0
	results := []searchResult{}
	for repo, err := range s.registry.Repositories(r.Context(), "") {
		if err != nil {
			return nil, err
		}
		if scanned++; len(results) >= n || scanned > maxScan {
			break
		}
		if strings.Contains(repo, term) && s.mayPull(who, repo) {
			results = append(results, searchResult{Name: repo})
		}
	}
	return results, nil
}
