package differential

// fixedBlobs is blobs that are pulled.
func fixedBlobs() []fixed {
	return []fixed{
		{"pull blobs", seq(
			push(repo, 1, medium), headBlob(repo, digestOf(medium)), getBlob(repo, digestOf(medium)),
			push(repo, 2, empty), headBlob(repo, digestOf(empty)), getBlob(repo, digestOf(empty)),
			push(repo, 3, large), getBlob(repo, digestOf(large)), getBlob(repo, digestOf(large)).with("Accept-Encoding", "gzip"),
		)},
		{"absent blobs", seq(
			getBlob(fresh, digestOf(small)), headBlob(fresh, digestOf(small)), stocked(other), getBlob(repo, digestOf(small)),
			stocked(repo), getBlob(repo, digestOf(absent)), headBlob(repo, digestOf(absent)),
		)},
		{"ranges", seq(push(repo, 1, medium), ranges(repo, medium))},
		{"ranges of nothing", seq(
			push(repo, 1, empty),
			getBlob(repo, digestOf(empty)).with("Range", "bytes=0-0").as(badRange),
			getBlob(repo, digestOf(empty)).with("Range", "bytes=-1"),
		)},
		{"conditional blobs", seq(push(repo, 1, small), blobConditions(repo, small))},
	}
}

// ranges asks for parts of a blob.
func ranges(repo string, content []byte) []step {
	var list []step
	for _, r := range []string{
		"bytes=0-0", "bytes=0-9", "bytes=10-19", "bytes=4990-", "bytes=-10", "bytes=0-999999", "bytes=0-1,10-19", "bytes=-999999",
		"bytes=0-0,0-0,0-0",
	} {
		list = append(list, getBlob(repo, digestOf(content)).with("Range", r))
	}
	for _, r := range []string{"bytes=999999-", "bytes=5000-", "bytes=5000-5001,6000-", "bytes=5-1", "lines=1-2", "bytes=a-b", "bytes="} {
		list = append(list, getBlob(repo, digestOf(content)).with("Range", r).as(badRange))
	}
	head := headBlob(repo, digestOf(content))
	return append(list, head.with("Range", "bytes=0-9").as(headRange), head.with("Range", "bytes=999999-").as(headRange))
}

// blobConditions asks for a blob on conditions.
func blobConditions(repo string, content []byte) []step {
	var list []step
	d := digestOf(content)
	for _, s := range []step{getBlob(repo, d), headBlob(repo, d)} {
		list = append(list,
			s.with("If-None-Match", quoted(d)).as(conditional),
			s.with("If-None-Match", quoted("x")+", W/"+quoted(d)).as(conditional),
			s.with("If-None-Match", "*").as(conditional),
			s.with("If-None-Match", quoted(digestOf(absent))),
			s.with("If-None-Match", d).as(unquoted),
			s.with("If-Match", quoted(d)),
			s.with("If-Match", quoted(digestOf(absent))).as(badMatch),
			s.with("If-Match", "*"),
		)
	}
	return append(list,
		getBlob(repo, d).with("Range", "bytes=0-2").with("If-Range", quoted(d)),
		getBlob(repo, d).with("Range", "bytes=0-2").with("If-Range", quoted(digestOf(absent))),
	)
}
