package server

import (
	"net/http"

	"github.com/berth-registry/berth/auth"
)

// Kind is what a request asks for: a noun of the API with a method.
type Kind uint8

// The kinds of requests. Those before kindV2End are the distribution API.
const (
	kindNone Kind = iota
	GetBase
	HeadManifest
	GetManifest
	HeadPreview
	PutManifest
	DeleteManifest
	HeadBlob
	GetBlob
	DeleteBlob
	StartUpload
	GetUpload
	PatchUpload
	PutUpload
	CancelUpload
	ListTags
	ListReferrers
	ListRepositories
	kindV2End

	// Beside /v2.
	Token
	Login
	LoginCallback
	Search
	SearchPing
	JWKS
	Healthz
	Readyz
	API
	Metrics
	NotFound
)

// noun is what a path of /v2 names.
type noun uint8

const (
	base noun = iota + 1
	manifest
	preview
	blob
	uploads
	upload
	tags
	referrers
	catalog
)

// route says which right a request kind needs, and is the only place that
// does. Zero actions means: any principal, the answer shows no more than it
// may see.
type route struct {
	kind    Kind
	name    string // in logs, metrics and the audit trail
	noun    noun
	method  string
	needs   auth.Actions
	asks    auth.Actions // what the challenge offers; clients that push pull too
	changes int          // status of the answer when something has changed that others see; 0: never
	spec    string       // endpoint id of the distribution specification
}

const pushPull = auth.Pull | auth.Push

// routes is the distribution API.
var routes = [...]route{
	{GetBase, "base", base, http.MethodGet, 0, 0, 0, "end-1"},
	{GetBase, "base", base, http.MethodHead, 0, 0, 0, "end-1"},
	{HeadManifest, "manifest.head", manifest, http.MethodHead, auth.Pull, auth.Pull, 0, "end-3"},
	{GetManifest, "manifest.get", manifest, http.MethodGet, auth.Pull, auth.Pull, 0, "end-3"},
	{HeadPreview, "limit.preview", preview, http.MethodHead, 0, 0, 0, ""},
	{PutManifest, "manifest.put", manifest, http.MethodPut, auth.Push, pushPull, http.StatusCreated, "end-7a end-7b"},
	{DeleteManifest, "manifest.delete", manifest, http.MethodDelete, auth.Delete, auth.Delete, http.StatusAccepted, "end-9"},
	{HeadBlob, "blob.head", blob, http.MethodHead, auth.Pull, auth.Pull, 0, "end-2"},
	{GetBlob, "blob.get", blob, http.MethodGet, auth.Pull, auth.Pull, 0, "end-2"},
	{DeleteBlob, "blob.delete", blob, http.MethodDelete, auth.Delete, auth.Delete, http.StatusAccepted, "end-10"},
	{StartUpload, "upload.start", uploads, http.MethodPost, auth.Push, pushPull, http.StatusCreated, "end-4a end-4b end-11"},
	{GetUpload, "upload.get", upload, http.MethodGet, auth.Push, pushPull, 0, "end-13"},
	{PatchUpload, "upload.patch", upload, http.MethodPatch, auth.Push, pushPull, 0, "end-5"},
	{PutUpload, "upload.put", upload, http.MethodPut, auth.Push, pushPull, http.StatusCreated, "end-6"},
	{CancelUpload, "upload.cancel", upload, http.MethodDelete, auth.Push, pushPull, 0, "end-14"},
	{ListTags, "tag.list", tags, http.MethodGet, auth.Pull, auth.Pull, 0, "end-8a end-8b"},
	{ListTags, "tag.list", tags, http.MethodHead, auth.Pull, auth.Pull, 0, "end-8a end-8b"},
	{ListReferrers, "referrer.list", referrers, http.MethodGet, auth.Pull, auth.Pull, 0, "end-12a end-12b"},
	{ListReferrers, "referrer.list", referrers, http.MethodHead, auth.Pull, auth.Pull, 0, "end-12a end-12b"},
	{ListRepositories, "repository.list", catalog, http.MethodGet, 0, 0, 0, ""},
	{ListRepositories, "repository.list", catalog, http.MethodHead, 0, 0, 0, ""},
}

// find returns the route of a noun and a method, or nil.
func find(n noun, method string) *route {
	for i := range routes {
		if routes[i].noun == n && routes[i].method == method {
			return &routes[i]
		}
	}
	return nil
}

func (k Kind) String() string {
	for i := range routes {
		if routes[i].kind == k {
			return routes[i].name
		}
	}
	switch k {
	case Token:
		return "token"
	case Login:
		return "login"
	case LoginCallback:
		return "login.callback"
	case Search:
		return "search"
	case SearchPing:
		return "search.ping"
	case JWKS:
		return "jwks"
	case Healthz:
		return "healthz"
	case Readyz:
		return "readyz"
	case API:
		return "api"
	case Metrics:
		return "metrics"
	}
	return "none"
}
