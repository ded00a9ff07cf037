package oci

import (
	"errors"
	"testing"

	"github.com/distribution/distribution/v3/registry/api/errcode"
)

// TestErrorsAgreeWithDistribution holds the table against the codes that
// clients have known from distribution's: each is one of them, and where the
// status differs this list says why.
func TestErrorsAgreeWithDistribution(t *testing.T) {
	differs := map[*Error]string{
		ErrUploadInvalid:       "400: 404 is for a session that is unknown",
		ErrUploadRange:         "416: the specification wants it for a chunk out of order",
		ErrUploadBusy:          "409: the session is there, but somebody else writes to it",
		ErrManifestBlobUnknown: "404: end-7a of the specification",
		ErrManifestTooLarge:    "413: the specification's section on pushing manifests",
		ErrTooLarge:            "413: RFC 9110, section 15.5.14",
		ErrBadRequest:          "400: the method is supported, the request is malformed",
		ErrNotFound:            "404: there is no such endpoint",
		ErrStorageFull:         "507: RFC 4918, section 11.5",
	}
	for _, e := range Errors() {
		var known errcode.ErrorCode
		if err := known.UnmarshalText([]byte(e.Code)); err != nil || known.String() != string(e.Code) {
			t.Errorf("%s is not known to distribution: %v", e.Code, err)
		}
		same := known.Descriptor().HTTPStatusCode == e.Status
		if _, listed := differs[e]; same == listed {
			t.Errorf("%s is %d here and %d there; listed as different: %t", e.Code, e.Status, known.Descriptor().HTTPStatusCode, listed)
		}
	}
}

func TestErrorIs(t *testing.T) {
	with := ErrBlobUnknown.With("a detail")
	if !errors.Is(with, ErrBlobUnknown) || errors.Is(with, ErrManifestUnknown) || errors.Is(ErrUploadRange, ErrUploadInvalid) {
		t.Error("errors are told apart by code and status, whatever the detail")
	}
	if ErrBlobUnknown.Detail != nil {
		t.Error("With changed the table")
	}
}
