package differential

import (
	"net/http"
	"strconv"
)

// What clients send, as steps. Each function is one request of the API, well
// formed unless its arguments are not.

func ping() step { return step{op: base, method: "GET", path: "/v2/"} }

// raw is a request by its method and path, of whatever op.
func raw(o op, method, path string) step { return step{op: o, method: method, path: path} }

func manifest(o op, method, repo, ref string) step {
	return step{op: o, method: method, repo: repo, ref: ref, path: "/v2/" + repo + "/manifests/" + ref}
}

// getManifest asks for whatever is there; without says so less.
func getManifest(repo, ref string) step {
	return manifest(manifestGet, "GET", repo, ref).with("Accept", acceptAll)
}

func headManifest(repo, ref string) step {
	return manifest(manifestHead, "HEAD", repo, ref).with("Accept", acceptAll)
}

func putManifest(repo, ref string, d document) step {
	s := manifest(manifestPut, "PUT", repo, ref).as(d.shape...)
	s.body = d.body
	if d.contentType != "" {
		s = s.with("Content-Type", d.contentType)
	}
	return s
}

func deleteManifest(repo, ref string) step { return manifest(manifestDelete, "DELETE", repo, ref) }

func blob(o op, method, repo, ref string) step {
	return step{op: o, method: method, repo: repo, ref: ref, path: "/v2/" + repo + "/blobs/" + ref}
}

func headBlob(repo, digest string) step   { return blob(blobHead, "HEAD", repo, digest) }
func getBlob(repo, digest string) step    { return blob(blobGet, "GET", repo, digest) }
func deleteBlob(repo, digest string) step { return blob(blobDelete, "DELETE", repo, digest) }

// start opens session n.
func start(repo string, n int) step {
	return step{op: uploadStart, method: "POST", repo: repo, path: "/v2/" + repo + "/blobs/uploads/", opens: n}
}

// mount asks for a blob of another repository; session n if it has none.
func mount(repo, from, digest string, n int) step {
	s := start(repo, n)
	s.query = "mount=" + digest
	if from != "" {
		s.query += "&from=" + from
	}
	s.ref = digest
	return s
}

func upload(o op, method, repo string, n int, body []byte) step {
	s := step{op: o, method: method, repo: repo, session: n, body: body}
	if len(body) > 0 {
		s = s.with("Content-Type", octets)
	}
	return s
}

func status(repo string, n int) step { return upload(uploadGet, "GET", repo, n, nil) }
func cancel(repo string, n int) step { return upload(uploadCancel, "DELETE", repo, n, nil) }

func patch(repo string, n int, body []byte) step {
	return upload(uploadPatch, "PATCH", repo, n, body)
}

// chunk is a PATCH that says where it begins.
func chunk(repo string, n, at int, body []byte) step {
	return patch(repo, n, body).with("Content-Range", contentRange(at, len(body)))
}

func contentRange(at, length int) string {
	return strconv.Itoa(at) + "-" + strconv.Itoa(at+length-1)
}

// finish is the closing PUT, with or without a last chunk.
func finish(repo string, n int, digest string, body []byte) step {
	s := upload(uploadPut, "PUT", repo, n, body).asking("digest=" + digest)
	s.ref = digest
	return s
}

// push is a blob by POST and PUT, through session n.
func push(repo string, n int, content []byte) []step {
	return []step{start(repo, n), finish(repo, n, digestOf(content), content)}
}

func tags(repo, query string) step {
	return step{op: tagList, method: "GET", repo: repo, path: "/v2/" + repo + "/tags/list", query: query}
}

func repositories(query string) step {
	return step{op: catalog, method: "GET", path: "/v2/_catalog", query: query}
}

func referrers(repo, digest, query string) step {
	return step{op: referrerList, method: "GET", repo: repo, path: "/v2/" + repo + "/referrers/" + digest, query: query}
}

// without returns s without a header.
func (s step) without(name string) step {
	s.header = s.header.Clone()
	s.header.Del(name)
	return s
}

// instead returns s with a header replaced.
func (s step) instead(name, value string) step {
	return s.without(name).with(http.CanonicalHeaderKey(name), value)
}
