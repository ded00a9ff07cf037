// Package filesystem keeps blobs in a directory tree, laid out as distribution
// (registry:2 and registry:3) lays it out: a blob that either has written is
// found by the other.
//
//	<root>/
//	├── _lock                          held while a process serves root
//	├── _uploads/
//	│   └── 6f1c…                      an unfinished upload: 32 random hex digits
//	└── docker/registry/v2/
//	    ├── blobs/
//	    │   ├── sha256/
//	    │   │   └── e3/                the first two hex digits
//	    │   │       └── e3b0c442…/
//	    │   │           └── data       the bytes, never changed in place
//	    │   └── sha512/…
//	    └── repositories/…             distribution's own; never touched here
//
// The Key of a blob is its digest. Files are made 0640 and directories 0750,
// less the umask: registry:2 reads and continues the tree when it runs as the
// same user, and others of the group may read it.
//
// # System calls
//
// Begin makes none. The rest, on a tree in use; whatever changes it begins with
// a stat(_lock), and goes no further if that is not the file that is locked:
//
//	first Write  open(_uploads/id, CREAT|EXCL)
//	Write        write
//	Suspend      fdatasync(_uploads/id)      unless nothing was written since the last
//	Resume       open fstat ftruncate        the last only if bytes were written later
//	Commit       mkdir(<hex>)                EEXIST: stat(data), and when it has the
//	                                         right size: no fdatasync and no rename
//	             fdatasync(_uploads/id)      the bytes are on the disk before their name
//	             rename(_uploads/id, <hex>/data)
//	             fsync(<hex>)                the name data; beside it, at the same time
//	             fsync(<2 hex>)              the name <hex>
//	             fsync(<alg>)                the name <2 hex>, if it was not there at Open:
//	                                         once per process and prefix
//	Delete       unlink(data) fsync(<hex>) rmdir(<hex>)
//
// A copy (storage.Hint.Copy) makes no fsync: its name comes to the disk when the
// kernel writes it, after the bytes.
//
// A commit thus waits for three syncs, two of them at once, and two when a Suspend came just before
// or the blob is there already. The last directories are synced even when this
// commit has not made them: whoever did may have crashed, or may be about to
// sync them but not have done so yet. _uploads is not synced after a rename; a
// journaling file system moves a name as one change, and all that a cancelled
// upload can do is come back after a power cut until Sweep finds it.
//
// # Crashes
//
// After a crash, or a power cut, at any point:
//
//	before rename           the upload is in _uploads: Resume goes on from its last
//	                        State, Sweep removes those that no State names
//	rename to the last fsync  the whole blob is there, or the upload still is; nobody
//	                        was told. The next commit of the digest syncs again
//	after the last fsync    the blob is there
//
// No file is ever seen at <hex>/data before all its bytes are on the disk. A
// file there with another size than the verified bytes is damage from elsewhere
// and is replaced.
//
// One process owns a root: uploads that are open, locks per digest and the set
// of synced prefixes are in its memory.
package filesystem
