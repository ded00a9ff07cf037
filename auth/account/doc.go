// Package account keeps users who log in with a password: those in the
// configuration, which nobody changes here, and those in the metadata. It also
// keeps who else has been let in, without a password: see Admit.
//
//	Login(credentials) ───▶ static │ Users.User ──▶ row, or none
//	        │                                          │ hash, or a dummy of the same cost
//	        ▼                                          ▼
//	     HMAC(name, password, hash) ── remembered? ── queue ── bcrypt, a few at a time ──▶ auth.Principal
//	                                   (one minute)     │                            └──▶ auth.ErrBadCredentials
//	                                                    └─ full ──▶ auth.ErrTooManyLogins
//
// The row is read at every login and its hash is part of what is remembered:
// a changed password, a removed user and another group count at once. Only
// bcrypt is skipped.
//
// Equal logins share one bcrypt. Of each account at most four different
// passwords wait, of all together at most 64, and whatever is no account counts
// as one: guesses at unknown names cannot hold up those who are known.
//
// Add, SetPassword, SetGroups, Remove and Import are what `berth user` and
// `berth htpasswd` do, Bootstrap is the first start. Owner and Bond serve what
// stands for a password: personal tokens and refresh tokens. Admit and
// Local serve providers of identities. The package never returns, logs or
// keeps a password or its hash, but for the one that Bootstrap makes up. Time is
// an argument.
package account
