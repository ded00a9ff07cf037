// Package issuer trusts tokens that others issue: auth.trusted_issuers of the
// configuration.
//
//	                 iss ──▶ trusted ──▶ source ── kid, algorithm ──▶ public key
//	                            │          ▲ file │ URL │ discovery, refreshed
//	Verify(bearer token) ──▶ signature, exp, nbf, iat ──▶ entries: aud, require ──▶ auth.Principal
//	Login(token as password) ─┘                             │
//	                                 repositories (${claim:NAME} as a literal), actions
//
// An entry is about one of two kinds of tokens, and takes none of the other:
//
//	registry  Bearer on /v2: has an access claim, as docker_auth, GitLab and
//	          Harbor issue them. The principal holds what the claim says, cut to
//	          what the entries allow, and nothing else.
//	identity  the password of Basic, with any name: an OIDC ID token of GitHub
//	          Actions or GitLab CI. The principal has the rules of all entries
//	          whose audience and required claims fit, beside the grants to
//	          issuer:WHO. No token that it gets outlives its own.
//
// The principal is WHO:SUBJECT and of the kind Outside, whatever the subject is
// called: it is no user, in no group and never an administrator.
//
// Keys are those of the source of the token's issuer, for their own algorithms:
// EdDSA, ES256, ES384, RS256, RS384, RS512, never HS* or none. What a header
// says about keys (jwk, jku, x5u, x5c) is never read (CVE-2025-24976). While a
// source fails the last good keys stay. Redirects are refused, documents are
// bounded, and no token makes more than one request in 30 seconds.
//
// Time is an argument. Nothing here is logged but what became of sources.
package issuer
