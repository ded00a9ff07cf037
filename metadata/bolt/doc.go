// Package bolt keeps metadata in one bbolt file and upload sessions in a log
// beside it, for exactly one process.
//
//	berth.db               everything but sessions: one B+tree per table
//	berth.db.sessions      a log of the changes of upload sessions
//	berth.db.new           a database that is being created, gone afterwards
//	berth.db.sessions.new  a log that is being written anew, gone afterwards
//
// The tables. "·" stands for a zero byte after a repository name, which can
// hold none; a digest is one byte for the algorithm and its raw bytes. Keys
// sort as the listings of the contract do, so that a page is one seek.
//
//	table         key                       value
//	meta          "schema"                  version of this drawing
//	repositories  repo                      created
//	blobs         digest                    size, storage key
//	backlinks     digest repo
//	objects       repo · digest             number, is it linked?, manifest header?
//	bytes         number                    digest, the manifest as it was pushed
//	edges         child parent (numbers)    what the parent needs: a blob or a manifest
//	names         number tag
//	tags          repo · tag                digest
//	referrers     repo · subject digest     descriptor
//	users         name                      JSON
//	robots        name                      JSON
//	tokens        id                        JSON
//	owned         owner · token id
//	limits        key                       JSON
//	usage         hour and whose it is      pulls, version checks
//
// An object is whatever a repository knows of one digest: that it has a link
// to the blob, that it has the manifest, or just that some manifest mentions
// it. It has a number, and everything about it that nobody looks up by digest
// hangs on the number. Digests scatter over a tree, so each row keyed by one
// costs a commit a page of its own and those above it; numbers are given in
// order, so the rows of one push stand side by side. With 10^5 manifests, a
// commit of eight pushes writes 61 pages instead of 210.
//
// Reads are read transactions of bbolt and never wait for a writer. Writes
// are handed to one goroutine that runs everything waiting in one transaction
// (writer.go): while one commit is on its way to the disk, the next one
// gathers. Listings read page by page, a transaction each, because an open
// transaction keeps bbolt from using freed pages again.
//
// Sessions are in memory and in a log of their own, because they change with
// every chunk of an upload and need not survive a power cut: they cost no sync.
// They are the one thing that is not in the transaction: LinkBlob ends the
// session after its commit, and a crash between the two leaves a session of a
// finished upload, which expires like any other.
//
// A file that was cut or overwritten is an error of Open or of the call that
// meets the damage, never a panic. Open changes nothing in an existing file
// but to add tables that a later version has: robots, tokens and owned are not
// in the files of the first one, which goes on to read a file that has them.
package bolt
