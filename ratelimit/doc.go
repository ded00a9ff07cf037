// Package ratelimit owns how pulls are counted: who is counted (Key), how many
// are allowed in which time (Limit), and the rolling Window in which they are.
//
//	Window.Take(limit, cost, now) ─▶ Decision      pure: values in, values out
//	Counters                                       one Window per Key, somewhere
//	  ratelimit/memory                             in this process, with snapshots
//	  ratelimit/redis                              shared by all replicas
//	ratelimit/policy                               which limit is whose
//
// The promise: in no interval as long as the window are more pulls allowed
// than the limit says. Neither a token bucket nor a fixed window keeps it. It
// is kept by counting in slots of 1/72 of the window:
//
//	  ├──────────────── window ────────────────┤
//	┌─┴─┬───┬───┬───┬─ ... ─┬───┬───┬───┬───┬──┴┐
//	│ 3 │   │   │ 1 │       │   │ 7 │   │   │ 2 │
//	└───┴───┴───┴───┴─ ... ─┴───┴───┴───┴───┴───┘
//	 oldest of 72 whole slots                 the running one
//
// The oldest slot counts as a whole until the window has left it, so a pull is
// forgotten up to one slot late and never early. A refused pull changes
// nothing.
//
// The package knows no HTTP, no principal and no clock.
package ratelimit
