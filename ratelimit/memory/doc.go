// Package memory counts pulls in the memory of one process, and keeps what it
// counted in a file.
//
//	Take ─▶ shard[hash of key] ─▶ *entry{Window}     a mutex per shard
//	             │ changed keys
//	Save ────────┴─▶ append to the file              every few seconds, and at the end
//
// The file is a log: a record for each key that changed since the last Save,
// with all that is known of the key; the last record of a key counts. When most
// of the file is outdated, it is written anew under another name, which is then
// renamed. So an end by kill -9 loses what was counted since the last Save, a
// few seconds, and never more: no quota is filled up again by a restart. Only
// the file written anew is synced. A power cut takes what the kernel had not
// written yet, and the first record that cannot be read ends the log.
//
// Keys whose window has passed are dropped by Sweep. How many addresses are
// remembered at a time is bounded: beyond that, newcomers share one limit until
// others are dropped. Users, robots and outside principals do not count towards
// the bound and are never refused for it.
package memory
