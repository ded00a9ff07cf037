// Package load sends the requests. A row of the table is a Plan: what is prepared on the server beforehand, one
// operation that is repeated, and what must be true afterwards.
//
//	Row.Prepare --> Plan --Session: n connections, each one request at a time--> Result
//	                  |                         |
//	                  +-- Check: reads back     +-- every answer: status, length, digest or bytes
//
// Blobs are long random prefixes with a short number behind, so that each is new and its digest costs the client next
// to nothing. The client says what it expects of every answer; the first that differs ends the run.
package load
