// Package guess stands in front of the verifiers of passwords and slows down
// whoever guesses. Nobody is ever locked out.
//
//	Login ──▶ tried before? ── yes ──────────────────────────▶ next.Login ──▶ right: forget the account's wrong ones
//	              │ no                                             │
//	              ▼                                                └────────▶ wrong, for the first time: the networks pay
//	          too soon? ── yes ──▶ auth.DelayError, 429 at once
//	              │ no
//	              └──── counts as wrong until it is right ──▶ next.Login
//
// What is too soon is decided by two things. Of one account from one client
// (an IPv4 address or an IPv6 /64) three wrong secrets are free; after each one
// more the wait doubles, from 1 s to 5 min. And from one network, over all
// accounts, 100 wrong secrets are taken at once and 100 per hour; from the /48
// of an IPv6 address 1000.
//
// A secret that is repeated counts once: kubelet sends the same wrong one for
// ever, and containerd each one twice, by POST and by GET. Whoever repeats it
// hears that it is wrong and not that it is too soon.
//
// Everything is remembered in memory of a fixed size, by HMACs. When it is full
// what would be forgotten first goes first: to wash away a long wait takes as
// many other waits that are as long.
//
// The package compares no secret and knows no account. Personal tokens, robots
// and JWTs are nothing to be guessed and do not come this way. Time is an
// argument.
package guess
