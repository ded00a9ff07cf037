// Package audit keeps the trail of who did what: one entry for each login, each
// token, each push and delete, each request that was refused, each act of
// administration. Plain pulls are in the access log and not here.
//
//	server, api ──▶ Log.Record ──┬──▶ memory: the newest, for the API ──▶ Log.Find
//	Logins ─────────────▲        │      what was done │ who came in │ what was refused
//	                             └──▶ queue ──▶ one goroutine ──▶ file, one write per line
//
// # What is promised
//
// When Record returns, the line has been handed to the operating system, and
// callers answer their clients after that: what a client was told has been
// written. A line is one write to a file opened for appending, so lines of
// several processes do not mix. It is not synced: it outlives the process, but
// not a power cut.
//
// Nothing waits for ever. A disk that does not take a line within a second lets
// the request go on, and the line follows when the disk does. If 4096 lines wait
// by then, more are dropped. Both, and what could not be written, is counted in
// Stats and logged. Berth serves on without its trail; who wants it to stop
// instead has the metric.
//
// A client that is refused can ask again as often as it likes, so refusals have
// a place of their own in memory, where they push out nothing that was done, and
// a rate of their own (50 per second): beyond it they are counted, and the next
// one that is kept says how many there were.
//
// # What is in a line
//
// No secret, no password, no token; not even a name of an account unless it has
// the form of one. Every text is bounded and printable.
package audit
