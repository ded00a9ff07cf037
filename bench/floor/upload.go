package main

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
)

// upload is a blob on its way.
type upload struct {
	path string
	file *os.File
	sum  hash.Hash
}

func (f *floor) startUpload(w http.ResponseWriter, repo string) {
	id := strconv.FormatInt(f.last.Add(1), 10)
	path := filepath.Join(f.uploads, id)
	file, err := os.Create(path)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	f.open.Store(id, &upload{path, file, sha256.New()})
	accept(w, repo, id)
}

func accept(w http.ResponseWriter, repo, id string) {
	w.Header().Set("Location", "/v2/"+repo+"/blobs/uploads/"+id)
	w.WriteHeader(http.StatusAccepted)
}

// upload takes a chunk (PATCH) or the last one (PUT), after which the blob gets its name: the digest of what came,
// whatever the client calls it.
func (f *floor) upload(w http.ResponseWriter, r *http.Request, repo, id string) {
	found, ok := f.open.Load(id)
	if !ok {
		http.NotFound(w, r)
		return
	}
	u := found.(*upload)
	if _, err := io.Copy(io.MultiWriter(u.file, u.sum), r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if r.Method == http.MethodPatch {
		accept(w, repo, id)
		return
	}
	f.open.Delete(id)
	u.file.Close()
	digest := "sha256:" + hex.EncodeToString(u.sum.Sum(nil))
	if err := os.Rename(u.path, filepath.Join(f.blobs, digest)); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Docker-Content-Digest", digest)
	w.Header().Set("Location", "/v2/"+repo+"/blobs/"+digest)
	w.WriteHeader(http.StatusCreated)
}
