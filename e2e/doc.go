// Package e2e runs berth as its users do: the built binary, a configuration file, and the real clients of others
// against it. Nothing of berth is imported: what is tested is what a package or an image of it would contain.
//
//	clients (docker + its own dockerd, podman, buildah, containerd, skopeo, crane, oras, regctl, helm,
//	    |    on demand docker's containerd store and buildkit; the OCI conformance suite)
//	    |
//	    |                HTTP on 127.0.0.1
//	    v
//	berth serve --config config.yaml  ---->  access log (one JSON line per request)
//	                                            |
//	tests compare: bytes, digests, file contents, and what the server says it was asked
//
// It owns the harness, the images the tests push (made of Debian packages and of generated files; no registry is
// reachable or needed), the versions of the clients (tools.txt and, for those that take minutes to build,
// tools-clients.txt; installed by install-tools.sh), and the tables in docs/clients.md: each client is taken through
// the same walks, once with passwords and once with every other kind of credentials, and what its user saw is compared
// with the tables.
//
// Where users or certificates come from elsewhere real servers stand behind berth: Debian's slapd, zitadel's OpenID
// provider, pebble for ACME.
//
// Clients are also taken to their pull limit, and what their users read then is in docs/pull-limits.md. Redis is Debian's,
// one of our own for each test.
//
// An exit code proves little, so every test also looks at digests, at the files that arrived and at the server's access
// log; a status of 500 or above anywhere, or a server that does not end by itself on SIGTERM, fails the test.
//
// Environment:
//
//	BERTH_BIN       a berth binary to test; otherwise ../cmd/berth is built
//	BERTH_REQUIRE   "all": a test that cannot run here fails instead of being skipped, but for the clients of
//	                tools-clients.txt; "clients": for these too
//	BERTH_E2E_KEEP  a directory that receives logs and reports of failed tests (default: a temporary one, its path is printed)
//
//	BERTH_UPDATE_DOCS  "1": the tests of clients write what they saw to docs/clients.md and docs/pull-limits.md
package e2e
