// Package redis counts pulls in Redis or Valkey, for any number of replicas.
//
//	Take ─▶ EVALSHA window.lua ─▶ a hash per key, which expires with its window
//
// One script does the whole of a decision in one round trip, by the clock of the
// server: it is ratelimit.Window again, and the acceptance suite holds one
// against the other. Nothing is tried twice, since the first try may have been
// counted. Keys begin with "berth:pulls:"; two registries that are not to share
// counters need databases of their own.
package redis
