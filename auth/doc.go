// Package auth decides who may do what: credentials, principals, grants and
// challenges. It is pure. It knows no JWT library, no database, no bcrypt and
// no HTTP server; of net/http it reads the header of a request.
//
//	Authorization ──▶ Authenticator ──▶ Principal ──▶ Gate.Allow ──▶ ok │ AccessError
//	  Bearer ──▶ TokenVerifier             │             ├─ by token: the token's entries, and Standings
//	  Basic ───▶ Door                      │             └─ by password: Policy.Decide, live
//	              ├─ robot$…               ▼
//	              ├─ berth_pat_…           Policy.Decide = (grants + own rules − denials) within the token's ceiling
//	              ├─ a JWT
//	              └─ a password
//
//	scope=… ──▶ ParseScopes ──▶ Policy.Intersect ──▶ what the token may hold
//
//	auth          values and decisions          imports oci
//	auth/token    signs and verifies the JWTs   imports auth, golang-jwt
//	auth/account  users and their passwords     imports auth, metadata, bcrypt
//	auth/robot    robots and their secrets      imports auth, metadata
//	auth/issuer   tokens that others issue      imports auth, golang-jwt
//	auth/personal personal tokens of users      imports auth, metadata
//	auth/guess    delays whoever guesses        imports auth
//	auth/ldap     people of a directory         imports auth, go-ldap
//	auth/oidc     people of a provider          imports auth, go-oidc
//	auth/clientcert bearers of certificates     imports auth
//
// Identity is a value that is handed on as a parameter, never something in a
// context. The zero Principal is anonymous, the zero Policy denies, a grant of
// nobody matches nobody: what is forgotten refuses.
package auth
