// Package personal keeps personal tokens: secrets that a user gives to programs
// instead of the password.
//
//	berth_pat_<id>_<secret>
//	             │     └── 200 bits, of which the SHA-256 is stored and compared
//	             └── finds the row ──▶ its owner, who must still be there ──▶ auth.Principal within the token's rules
//
// A token is its owner's for as long as both are there, and never more than the
// owner: groups and the administrator's mark are read from the owner at every
// login, and rules can only narrow (CVE-2025-68944). The row is read at every
// login too, so that a token which is revoked logs in no more, and what was got
// by it pushes and deletes no more, at once.
package personal
