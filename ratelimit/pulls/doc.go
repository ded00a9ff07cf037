// Package pulls says who may pull how often: it knows principals, the limits of
// the configuration, and those that an administrator has set while serving.
//
//	auth.Principal ─▶ Key      who is counted: a user, a robot, an address
//	               ─▶ Policy   the limit: set for the key, else the most generous
//	                           override that matches, else the default of the kind
//	               ─▶ Limiter  ratelimit.Counters ─▶ ratelimit.Decision
//
// The package knows no HTTP requests, and not what a pull is: who asks it says
// that one is made.
package pulls
