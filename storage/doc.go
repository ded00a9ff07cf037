// Package storage is the contract for keeping immutable bytes: blobs go in
// once, verified and durable, and come out at any offset until they are
// deleted.
//
//	registry ──▶ storage.Store ──▶ filesystem/   a directory tree, as distribution lays it out
//	                          └──▶ s3/           (later) a bucket
//
// A Store knows no repositories, no owners and no HTTP, and keeps no state of
// its own besides the bytes: what it must remember of a half-done upload it
// hands to its caller as a State. Who may read which digest is the caller's
// business, and so is the mapping from a digest to the Key that Commit chose.
//
// Every implementation passes storagetest.
package storage
