// Package bolt keeps metadata in one bbolt file and upload sessions in small
// files beside it, for exactly one process.
//
//	berth.db               everything but sessions: one B+tree per table
//	berth.db.sessions/     one file per open upload session, <id>
//	berth.db.new           a database that is being created, gone afterwards
//
// The tables. "·" stands for a zero byte after a repository name, which can
// hold none; a digest is one byte for the algorithm and its raw bytes. Keys
// sort as the listings of the contract do, so that a page is one seek.
//
//	table         key                       value
//	meta          "schema"                  version of this drawing
//	repositories  repo                      created
//	blobs         digest                    size, storage key
//	links         repo · digest
//	backlinks     digest repo
//	manifests     repo · digest             size, pushed, media type, subject
//	bytes         repo · digest             the manifest as it was pushed
//	tags          repo · tag                digest
//	digesttags    repo · digest tag
//	edges         repo · child parent       what the child is: a blob or a manifest
//	referrers     repo · subject digest     descriptor
//	users         name                      JSON
//
// Reads are read transactions of bbolt and never wait for a writer. Writes
// are handed to one goroutine that runs everything waiting in one transaction
// (writer.go): while one commit is on its way to the disk, the next one
// gathers. Listings read page by page, a transaction each, because an open
// transaction keeps bbolt from using freed pages again.
//
// Sessions are files because they change with every chunk of an upload and
// need not survive a power cut: a rename costs no sync. They are the one thing
// that is not in the transaction: LinkBlob removes the session's file after
// its commit, and a crash between the two leaves a session of a finished
// upload, which expires like any other.
//
// A file that was cut or overwritten is an error of Open or of the call that
// meets the damage, never a panic. Open changes nothing in an existing file.
package bolt
