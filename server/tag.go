package server

import (
	"iter"
	"net/http"
	"net/url"
	"strconv"
)

// listTags answers end-8a and end-8b.
func (s *Server) listTags(w http.ResponseWriter, r *http.Request, c call) error {
	all, err := s.registry.Tags(r.Context(), c.Repo, c.Query.Last)
	if err != nil {
		return err
	}
	page, more, err := take(all, c.Query.N)
	if err != nil {
		return err
	}
	if more {
		setNext(w.Header(), "/v2/"+c.Repo+"/tags/list", url.Values{
			"n":    {strconv.Itoa(c.Query.N)},
			"last": {page[len(page)-1]},
		})
	}
	return writeJSON(w, http.StatusOK, struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}{c.Repo, page})
}

// take consumes at most n entries and tells whether there are more. A page of
// none has nothing after it: it could not say where to go on.
func take(all iter.Seq2[string, error], n int) (page []string, more bool, err error) {
	page = []string{}
	if n == 0 {
		return page, false, nil
	}
	for entry, err := range all {
		if err != nil {
			return nil, false, err
		}
		if len(page) == n {
			return page, true, nil
		}
		page = append(page, entry)
	}
	return page, false, nil
}

// setNext links the next page (RFC 8288; the specification's section on
// listing tags).
func setNext(h http.Header, path string, query url.Values) {
	h.Set("Link", "<"+path+"?"+query.Encode()+`>; rel="next"`)
}
