package load

// Row is a row of the table.
type Row struct {
	Key     string // for -rows and JSON
	Name    string
	Ops     int                                   // of a round, at scale 1
	Bytes   int                                   // payload of an operation, 0 where operations are what counts
	Prepare func(c *Client, n int) (*Plan, error) // for at most n operations
}

// Rows are those of the table, in the order that they run in: repositories are created after they were listed.
func Rows() []Row {
	return []Row{
		{"manifest-head", "manifest HEAD by tag", 20_000, 0, headManifest},
		{"manifest-get", "manifest GET by tag", 20_000, 0, getManifest},
		{"blob-head", "blob HEAD", 20_000, 0, headBlob},
		{"blob-get-1k", "blob GET 1 KiB", 15_000, 0, getSmallBlob},
		{"blob-get-64m", "blob GET 64 MiB", 64, large, getLargeBlob},
		{"push-4k", "push 4 KiB blob", 2_000, 0, pushBlobs(4*kib, 0, 0)},
		{"push-1m", "push 1 MiB blob", 300, mib, pushBlobs(mib, 0, 0)},
		{"push-64m", "push 64 MiB, one PUT", 8, large, pushBlobs(large, 0, 1000)},
		{"push-64m-chunks", "push 64 MiB, 8 MiB chunks", 8, large, pushBlobs(large, chunk, 2000)},
		{"manifest-put", "PUT manifest, new tag", 3_000, 0, pushManifests("bench/put", "p")},
		{"tags", "tags/list n=100 of 2000", 10_000, 0, listTags},
		{"catalog", "_catalog n=100 of 500", 6_000, 0, listRepositories},
		{"create", "create repository (2 blobs + manifest)", 1_000, 0, createRepositories},
	}
}
