// Package registry is the domain core: what it means to push, pull, mount,
// list and delete, over a metadata store and a storage store.
//
//	server ──▶ registry.Registry ──▶ metadata (contract): links, manifests, tags, sessions
//	                            └──▶ storage  (contract): bytes
//
// A push keeps one order: bytes durable at their final place, then one
// metadata transaction that makes them visible. So nothing is visible before
// its transaction and nothing visible is ever incomplete.
//
// The package knows no HTTP and decides no permissions: callers ask it only
// for what the principal may do. Its errors are *oci.Error where the client is
// to be told, anything else is a failure of this server.
package registry
