// Package robot keeps robots: machines that log in as robot$NAME with a secret
// that berth made up, and bring along rights of their own.
//
//	Login(robot$ci, secret) ──▶ row ──▶ SHA-256 fits? enabled? not expired? ──▶ auth.Principal{Own: rules}
//	Standing(principal)     ──▶ row (10 s old at most) ──▶ still all of this?
//
// The row is read at every login, and nothing of it is remembered: a robot that
// is disabled or removed logs in no more, and its tokens push and delete no
// more, at once. A secret has 200 bits, so that its SHA-256 is stored and no
// slow hash, and nobody guesses it.
package robot
