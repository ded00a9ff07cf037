package oci

// Code is an error code of the distribution specification ("Error Codes").
// Its table has no word for a failing server, so two of Docker's registry
// stand beside it: UNAVAILABLE and UNKNOWN, for 5xx answers only.
type Code string

// Error is a failure that the client may be told: a code, the sentence shown
// to people and, where it helps, a detail. It carries no internal text.
//
// The specification's table (code-1 to code-15) and the status codes stand in
// the table below; server turns an Error into HTTP, nothing else does.
type Error struct {
	Code    Code
	Status  int    // HTTP status
	Message string // one sentence for people
	Detail  any    // string, or nil; docker shows strings only
}

func (e *Error) Error() string {
	if s, ok := e.Detail.(string); ok {
		return string(e.Code) + ": " + e.Message + ": " + s
	}
	return string(e.Code) + ": " + e.Message
}

// Is reports whether target is the same kind of error: equal in code and
// status, whatever the detail.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Status == e.Status
}

// With returns a copy of e with a detail.
func (e *Error) With(detail any) *Error {
	c := *e
	c.Detail = detail
	return &c
}

// Because returns a copy of e whose sentence ends in a reason: of a 401 docker
// and podman show people that and never the detail.
func (e *Error) Because(reason string) *Error {
	c := *e
	c.Message += ": " + reason
	return &c
}

// The errors of the API. Codes are the specification's; where one code is
// answered with several statuses there is a variable for each.
var (
	ErrBlobUnknown         = &Error{Code: "BLOB_UNKNOWN", Status: 404, Message: "blob unknown to registry"}
	ErrUploadInvalid       = &Error{Code: "BLOB_UPLOAD_INVALID", Status: 400, Message: "blob upload invalid"}
	ErrUploadRange         = &Error{Code: "BLOB_UPLOAD_INVALID", Status: 416, Message: "chunk out of order"}
	ErrUploadBusy          = &Error{Code: "BLOB_UPLOAD_INVALID", Status: 409, Message: "another request is writing to this upload session"}
	ErrUploadUnknown       = &Error{Code: "BLOB_UPLOAD_UNKNOWN", Status: 404, Message: "blob upload unknown to registry"}
	ErrDigestInvalid       = &Error{Code: "DIGEST_INVALID", Status: 400, Message: "provided digest did not match uploaded content"}
	ErrManifestBlobUnknown = &Error{Code: "MANIFEST_BLOB_UNKNOWN", Status: 404, Message: "manifest references a manifest or blob unknown to registry"}
	ErrManifestInvalid     = &Error{Code: "MANIFEST_INVALID", Status: 400, Message: "manifest invalid"}
	ErrManifestTooLarge    = &Error{Code: "MANIFEST_INVALID", Status: 413, Message: "manifest too large"}
	ErrManifestUnknown     = &Error{Code: "MANIFEST_UNKNOWN", Status: 404, Message: "manifest unknown to registry"}
	ErrNameInvalid         = &Error{Code: "NAME_INVALID", Status: 400, Message: "invalid repository name"}
	ErrNameUnknown         = &Error{Code: "NAME_UNKNOWN", Status: 404, Message: "repository name not known to registry"}
	ErrSizeInvalid         = &Error{Code: "SIZE_INVALID", Status: 400, Message: "provided length did not match content length"}
	ErrTooLarge            = &Error{Code: "SIZE_INVALID", Status: 413, Message: "blob too large"}
	ErrTagInvalid          = &Error{Code: "MANIFEST_INVALID", Status: 400, Message: "invalid tag"} // the table has no code of its own
	ErrUnauthorized        = &Error{Code: "UNAUTHORIZED", Status: 401, Message: "authentication required"}
	ErrDenied              = &Error{Code: "DENIED", Status: 403, Message: "requested access to the resource is denied"}
	ErrUnsupported         = &Error{Code: "UNSUPPORTED", Status: 405, Message: "the operation is unsupported"}
	ErrBadRequest          = &Error{Code: "UNSUPPORTED", Status: 400, Message: "the request is malformed"}
	ErrNotFound            = &Error{Code: "UNSUPPORTED", Status: 404, Message: "there is no such endpoint"}
	ErrTooManyRequests     = &Error{Code: "TOOMANYREQUESTS", Status: 429, Message: "too many requests"}
	ErrUnavailable         = &Error{Code: "UNAVAILABLE", Status: 503, Message: "the service is temporarily unavailable"}
	ErrStorageFull         = &Error{Code: "UNAVAILABLE", Status: 507, Message: "the registry has no space left"}
	ErrUnknown             = &Error{Code: "UNKNOWN", Status: 500, Message: "an internal error occurred"}
)

// Errors lists every Error above, in their order, for tests that hold the
// table against the specification.
func Errors() []*Error {
	return []*Error{
		ErrBlobUnknown, ErrUploadInvalid, ErrUploadRange, ErrUploadBusy, ErrUploadUnknown, ErrDigestInvalid,
		ErrManifestBlobUnknown, ErrManifestInvalid, ErrManifestTooLarge, ErrManifestUnknown, ErrNameInvalid,
		ErrNameUnknown, ErrSizeInvalid, ErrTooLarge, ErrTagInvalid, ErrUnauthorized, ErrDenied, ErrUnsupported,
		ErrBadRequest, ErrNotFound, ErrTooManyRequests, ErrUnavailable, ErrStorageFull, ErrUnknown,
	}
}
