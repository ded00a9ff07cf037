package server

import (
	"strconv"
	"strings"

	"github.com/berth-registry/berth/oci"
)

// parseContentRange reads the Content-Range of a chunk: "first-last" as the
// distribution specification writes it, or RFC 9110's "bytes first-last/*".
// It returns the offset of the first byte and the number of bytes. Whatever
// else it says is an error with the code BLOB_UPLOAD_INVALID.
func parseContentRange(s string) (start, length int64, err error) {
	bad := oci.ErrUploadInvalid.With("Content-Range is written first-last")
	s = strings.TrimPrefix(s, "bytes ")
	s, _, _ = strings.Cut(s, "/")
	first, last, found := strings.Cut(s, "-")
	if !found {
		return 0, 0, bad
	}
	a, err := parseOffset(first)
	if err != nil {
		return 0, 0, bad
	}
	b, err := parseOffset(last)
	if err != nil || b < a {
		return 0, 0, bad
	}
	return a, b - a + 1, nil
}

// parseOffset reads digits only: no sign, no space, and far from overflow.
func parseOffset(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 62)
	return int64(n), err
}
