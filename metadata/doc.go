// Package metadata is the contract for everything mutable: which repository
// has which manifests, tags and links to blobs, which upload sessions are
// open, and who the users and robots are.
//
//	registry, auth/account ──▶ metadata.Store ──▶ bolt/       one file, one process
//	                                         └──▶ postgres/   (later) many replicas
//
// What refers to what, and what every implementation keeps true:
//
//	tag ──▶ manifest ──▶ edge ──▶ link ──▶ blob (key, size)
//	             └─────▶ edge ──▶ manifest          (index to child)
//	             └·····▶ subject                    (may be absent)
//
// A link says "this repository may read this blob" and is the only authority
// to read one. An edge cannot point at a link or manifest that is absent
// (unless the repository is sparse), and what an edge points at cannot be
// deleted. Every mutation is one transaction: durable when it returns, seen
// whole or not at all.
//
// The package knows no HTTP and no bytes of blobs. A miss is fs.ErrNotExist.
// Every implementation passes metadatatest.
package metadata
