package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
)

type manifest struct {
	mediaType, digest string
	bytes             []byte
}

func (f *floor) putManifest(w http.ResponseWriter, r *http.Request, repo, reference string) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	sum := sha256.Sum256(b)
	m := manifest{r.Header.Get("Content-Type"), "sha256:" + hex.EncodeToString(sum[:]), b}
	f.mu.Lock()
	f.manifests[repo+":"+m.digest] = m
	for _, tag := range append(r.URL.Query()["tag"], reference) {
		f.manifests[repo+":"+tag] = m
		if tag != m.digest {
			f.addTag(repo, tag)
		}
	}
	f.mu.Unlock()
	w.Header().Set("Docker-Content-Digest", m.digest)
	w.Header().Set("Location", "/v2/"+repo+"/manifests/"+m.digest)
	w.WriteHeader(http.StatusCreated)
}

func (f *floor) getManifest(w http.ResponseWriter, r *http.Request, repo, reference string) {
	f.mu.RLock()
	m, ok := f.manifests[repo+":"+reference]
	f.mu.RUnlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", m.mediaType)
	h.Set("Content-Length", strconv.Itoa(len(m.bytes)))
	h.Set("Docker-Content-Digest", m.digest)
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(m.bytes)
	}
}
