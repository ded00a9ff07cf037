package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// addTag needs f.mu.
func (f *floor) addTag(repo, tag string) {
	if _, known := f.tags[repo]; !known {
		f.repos = insert(f.repos, repo)
	}
	f.tags[repo] = insert(f.tags[repo], tag)
}

func insert(sorted []string, s string) []string {
	i, found := slices.BinarySearch(sorted, s)
	if found {
		return sorted
	}
	return slices.Insert(sorted, i, s)
}

func (f *floor) listTags(w http.ResponseWriter, r *http.Request, repo string) {
	f.mu.RLock()
	page := f.page(w, r, f.tags[repo])
	f.mu.RUnlock()
	writeJSON(w, map[string]any{"name": repo, "tags": page})
}

func (f *floor) listRepositories(w http.ResponseWriter, r *http.Request) {
	f.mu.RLock()
	page := f.page(w, r, f.repos)
	f.mu.RUnlock()
	writeJSON(w, map[string]any{"repositories": page})
}

// page copies the page that r asks for, with the link to the next.
func (f *floor) page(w http.ResponseWriter, r *http.Request, all []string) []string {
	query := r.URL.Query()
	if last := query.Get("last"); last != "" {
		i, found := slices.BinarySearch(all, last)
		if found {
			i++
		}
		all = all[i:]
	}
	n, err := strconv.Atoi(query.Get("n"))
	if err != nil || n >= len(all) {
		return slices.Clone(all)
	}
	next := url.Values{"n": {strconv.Itoa(n)}, "last": {all[n-1]}}
	w.Header().Set("Link", "<"+r.URL.Path+"?"+next.Encode()+`>; rel="next"`)
	return slices.Clone(all[:n])
}

func writeJSON(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b)
}
