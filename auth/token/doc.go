// Package token signs and verifies the JSON Web Tokens of the registry.
//
//	files ──▶ Keys ──▶ Issuer.Issue(principal, access, now) ──▶ header.claims.signature
//	            ├────▶ JWKS, the public halves
//	            └────▶ Verifier.Verify(raw, now) ──▶ auth.Principal
//	                     length ─ remembered? ─ algorithm ─ kid ─ signature ─ exp, nbf, iss, aud ─ claims
//
// The claims, beside those of RFC 7519 and of distribution's
// docs/content/spec/auth/jwt.md:
//
//	{"iss":"berth", "sub":"alice", "aud":["berth"], "exp":…, "nbf":…, "iat":…, "jti":"…",
//	 "access":[{"type":"repository","name":"a/b","actions":["pull","push"]}],
//	 "berth":{"kind":"user","groups":["ci"],"admin":true}}
//
// sub is the name of a user, robot$NAME, or WHO:SUBJECT of who is outside. A
// robot's rules and the ceiling of a personal token are in "berth" too (own,
// narrowed, within, credential): what the entries do not decide, such as the
// source of a mount or a listing, is judged by the live grants within them.
//
// A key is chosen by kid among those that were loaded, by nothing else, and
// only for its own algorithm. What a header says about keys (jwk, jku, x5u,
// x5c) is never read (CVE-2025-24976).
//
// The package decides nothing: what a token may hold is Policy.Intersect, what
// its bearer may do is Gate.Allow. Time is an argument.
package token
