// Package oci is the vocabulary of the OCI distribution and image
// specifications: digests, references, descriptors, manifests, media types
// and the error codes of the API.
//
// Everything may import it and it imports nothing of berth. It does no I/O,
// knows no HTTP and keeps no state: bytes and strings go in, values that are
// valid by construction come out. Who holds a Digest, a Reference or a
// Manifest made here need not check it again.
package oci
