package main

import (
	"flag"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:5000", "address to listen on")
	root := flag.String("root", "", "directory for blobs")
	flag.Parse()
	f, err := newFloor(*root)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(*addr, f))
}

// floor is the registry.
type floor struct {
	blobs, uploads string // directories
	last           atomic.Int64
	open           sync.Map // *upload by its id

	mu        sync.RWMutex
	manifests map[string]manifest // by repository and tag, and by repository and digest
	tags      map[string][]string // by repository, sorted
	repos     []string            // sorted
}

func newFloor(root string) (*floor, error) {
	f := &floor{
		blobs:     filepath.Join(root, "blobs"),
		uploads:   filepath.Join(root, "uploads"),
		manifests: map[string]manifest{},
		tags:      map[string][]string{},
	}
	if err := os.MkdirAll(f.blobs, 0o700); err != nil {
		return nil, err
	}
	return f, os.MkdirAll(f.uploads, 0o700)
}

// ServeHTTP finds the noun from the end of the path: repository names have slashes.
func (f *floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	switch path {
	case "":
		w.WriteHeader(http.StatusOK)
		return
	case "_catalog":
		f.listRepositories(w, r)
		return
	}
	rest, last := cutLast(path)
	repo, noun := cutLast(rest)
	switch {
	case noun == "manifests" && r.Method == http.MethodPut:
		f.putManifest(w, r, repo, last)
	case noun == "manifests":
		f.getManifest(w, r, repo, last)
	case noun == "tags":
		f.listTags(w, r, repo)
	case noun == "blobs" && last != "":
		f.getBlob(w, r, last)
	case noun == "uploads" && r.Method == http.MethodPost:
		f.startUpload(w, repo)
	case noun == "uploads":
		f.upload(w, r, strings.TrimSuffix(repo, "/blobs"), last)
	default:
		http.NotFound(w, r)
	}
}

func cutLast(s string) (before, after string) {
	i := strings.LastIndexByte(s, '/')
	return s[:max(i, 0)], s[i+1:]
}
