package main

import (
	"net/http"
	"os"
	"path/filepath"
	"time"
)

func (f *floor) getBlob(w http.ResponseWriter, r *http.Request, digest string) {
	file, err := os.Open(filepath.Join(f.blobs, digest))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer file.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Docker-Content-Digest", digest)
	http.ServeContent(w, r, "", time.Time{}, file)
}
