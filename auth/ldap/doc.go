// Package ldap lets people of an LDAP directory log in with the password that
// the directory knows.
//
//	Login(credentials) ─▶ a local account of the name? ─▶ that one decides, the directory is never asked
//	        │
//	   HMAC(name, password) ── remembered? (one minute, right and wrong ones)
//	        │
//	   flight: equal logins are one; of one name at most 4, of all 64; 8 connections
//	        │     dial ─ TLS ─ bind as the service account ─ search the user ─ search the groups ─ bind as the user
//	        ▼
//	   auth.Person ──▶ Accounts.Admit ──▶ auth.Principal
//
// Lookup does the same without the password, for who comes by a personal
// token.
//
// A person has the groups that the directory tells, no others and no longer:
// they replace what was known. So that an identical guess counts once against
// the directory's own lock-out, wrong passwords are remembered too: a node that
// repeats itself for ever asks once a minute.
//
// Nothing the directory says is believed beyond its bounds: an exchange has
// 10 s and 4 MiB. A password travels by TLS, or on this machine, or because
// Insecure says so; where TLS is wanted and fails, nothing is sent. The package
// never returns, logs or keeps a password. Time is an argument, but for the
// deadline of an exchange.
package ldap
