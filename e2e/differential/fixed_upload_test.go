package differential

// fixedUploads is blobs that are pushed, in one piece, in chunks, and wrongly.
func fixedUploads() []fixed {
	d := digestOf(small)
	return []fixed{
		{"POST and PUT", seq(push(repo, 1, small), status(repo, 1), push(repo, 2, small), push(repo, 3, empty))},
		{"streamed", seq(
			start(repo, 1), status(repo, 1), streamed(patch(repo, 1, small[:9])), status(repo, 1), patch(repo, 1, small[9:]), status(repo, 1),
			finish(repo, 1, d, nil), getBlob(repo, d),
		)},
		{"chunked", seq(
			start(repo, 1), chunk(repo, 1, 0, small[:1]), chunk(repo, 1, 1, small[1:5]), status(repo, 1), chunk(repo, 1, 5, small[5:]),
			finish(repo, 1, d, nil), getBlob(repo, d),
		)},
		{"last chunk in the PUT", seq(
			start(repo, 1), chunk(repo, 1, 0, small[:5]),
			finish(repo, 1, d, small[5:]).with("Content-Range", contentRange(5, len(small)-5)), getBlob(repo, d),
		)},
		{"PUT streamed", seq(start(repo, 1), streamed(finish(repo, 1, digestOf(medium), medium)), getBlob(repo, digestOf(medium)))},
		{"nothing in a chunk", seq(start(repo, 1), patch(repo, 1, empty), finish(repo, 1, digestOf(empty), nil), getBlob(repo, digestOf(empty)))},
		{"cancel", seq(
			start(repo, 1), patch(repo, 1, small), cancel(repo, 1), status(repo, 1), patch(repo, 1, small), finish(repo, 1, d, nil), cancel(repo, 1),
			start(repo, 2), cancel(repo, 2),
		)},
		{"unknown session", seq(status(repo, 9), patch(repo, 9, small), finish(repo, 9, d, small), cancel(repo, 9))},
		{"malformed requests to an unknown session", seq(wrongAnyway(9), start(repo, 1), cancel(repo, 1), wrongAnyway(1))},
		{"session of another repository", seq(
			start(repo, 1), patch(repo, 1, small[:3]), status(other, 1).as(strangers), patch(other, 1, small).as(strangers),
			finish(other, 1, d, small).as(strangers), cancel(other, 1).as(strangers), status(repo, 1),
		)},
		{"chunks out of order", seq(
			start(repo, 1), chunk(repo, 1, 5, small[5:]).as(badOrder), status(repo, 1), chunk(repo, 1, 0, small[:5]),
			chunk(repo, 1, 0, small[:5]).as(badOrder), chunk(repo, 1, 9, small[9:]).as(badOrder), status(repo, 1),
			finish(repo, 1, d, small[9:]).with("Content-Range", contentRange(9, len(small)-9)).as(badOrder),
			chunk(repo, 1, 5, small[5:]), finish(repo, 1, d, nil),
		)},
		{"chunk of another length", seq(
			start(repo, 1), patch(repo, 1, small[:5]).with("Content-Range", "0-9").as(badLength), status(repo, 1),
			patch(repo, 1, small[:5]).with("Content-Range", "5-19").as(badLength, badOrder), status(repo, 1),
			finish(repo, 1, d, small).with("Content-Range", "0-3").as(badLength), status(repo, 1),
		)},
		{"malformed Content-Range", badRanges("nonsense", "5", "0-", "-5", "a-b", "5-1", "0-5-9", "0x0-0x5")},
		{"Content-Range of RFC 9110", seq(
			start(repo, 1), patch(repo, 1, small[:5]).with("Content-Range", "bytes 0-4/*").as(rfcRange), status(repo, 1),
			start(repo, 2), patch(repo, 2, small[:5]).with("Content-Range", "bytes 5-9/*").as(rfcRange, badOrder), status(repo, 2),
		)},
		{"Content-Range of RFC 9110 in the PUT", seq(
			start(repo, 1), finish(repo, 1, d, small).with("Content-Range", "bytes 0-18/19").as(rfcRange), getBlob(repo, d),
		)},
		{"streamed chunk out of order", seq(
			start(repo, 1), streamed(chunk(repo, 1, 7, small[:5])).as(streamedRange, badOrder), status(repo, 1),
			start(repo, 2), streamed(finish(repo, 2, d, small).with("Content-Range", contentRange(7, len(small)))).as(streamedRange, badOrder), getBlob(repo, d),
		)},
		{"streamed chunk of another length", seq(
			start(repo, 1), streamed(patch(repo, 1, small[:5]).with("Content-Range", "0-9")).as(streamedRange, badLength), status(repo, 1),
			start(repo, 2), streamed(patch(repo, 2, small[:9]).with("Content-Range", "0-4")).as(streamedRange, badLength), status(repo, 2),
			start(repo, 3), streamed(chunk(repo, 3, 0, small)).as(streamedRange), finish(repo, 3, d, nil),
		)},
		{"other Content-Type", seq(
			start(repo, 1), patch(repo, 1, small).instead("Content-Type", "text/plain").as(wrongType), status(repo, 1),
			start(repo, 2), finish(repo, 2, d, small).instead("Content-Type", "text/plain"), getBlob(repo, d),
			start(repo, 3), patch(repo, 3, small).without("Content-Type"), status(repo, 3),
		)},
		{"wrong digest", seq(
			start(repo, 1), finish(repo, 1, digestOf(absent), small), status(repo, 1), getBlob(repo, digestOf(absent)), getBlob(repo, d),
			start(repo, 2), patch(repo, 2, small), finish(repo, 2, digestOf(absent), nil), patch(repo, 2, small), status(repo, 2),
			start(repo, 3), finish(repo, 3, digestOf(absent), small), finish(repo, 3, d, small), getBlob(repo, d),
			start(repo, 4), finish(repo, 4, digestOf(absent), small), cancel(repo, 4), status(repo, 4),
			start(repo, 6), finish(repo, 6, digestOf(absent), nil), finish(repo, 6, digestOf(absent), nil),
			start(repo, 7), finish(repo, 7, digestOf(absent), nil), finish(repo, 7, d, small),
			start(repo, 8), finish(repo, 8, digestOf(absent), nil), patch(repo, 8, small).instead("Content-Type", "text/plain").as(wrongType),
			start(repo, 5), finish(repo, 5, digestOf(absent), small), upload(uploadPut, "PUT", repo, 5, small),
		)},
		{"no digest", seq(
			start(repo, 1), upload(uploadPut, "PUT", repo, 1, small), status(repo, 1), finish(repo, 1, d, small), getBlob(repo, d),
		)},
		{"malformed digest", seq(
			start(repo, 1), finish(repo, 1, "nonsense", small).as(badDigest), finish(repo, 1, "sha256:abc", small).as(badDigest),
			finish(repo, 1, "md5:"+d[7:39], small).as(badDigest), status(repo, 1), finish(repo, 1, d, small),
		)},
		{"Location of an earlier answer", seq(
			start(repo, 1), patch(repo, 1, small[:5]), on(first, patch(repo, 1, small[5:])).as(staleURL), status(repo, 1),
			start(repo, 2), patch(repo, 2, small), on(first, finish(repo, 2, d, nil)).as(staleURL), getBlob(repo, d),
			start(repo, 3), patch(repo, 3, small), on(first, cancel(repo, 3)).as(staleURL), status(repo, 3),
			start(repo, 4), patch(repo, 4, small), on(first, status(repo, 4)).as(staleURL),
			on(first, chunk(repo, 4, 5, small)).as(staleURL, badOrder),
		)},
		{"Location written by hand", seq(
			start(repo, 1), on(byHand, status(repo, 1)).as(ownURL), on(byHand, patch(repo, 1, small)).as(ownURL), status(repo, 1),
			start(repo, 2), on(byHand, finish(repo, 2, d, small)).as(ownURL), getBlob(repo, d),
			start(repo, 3), on(byHand, cancel(repo, 3)).as(ownURL), status(repo, 3),
		)},
		{"single POST", seq(
			post(repo, 1, d, small).as(singlePost), getBlob(repo, d),
			post(repo, 2, digestOf(absent), small).as(singlePost), post(repo, 3, "nonsense", small).as(singlePost, badQuery),
		)},
		{"sha512 blob", seq(
			start(repo, 1).asking("digest-algorithm=sha512"), finish(repo, 1, sha512Of(small), small).as(sha512),
			headBlob(repo, sha512Of(small)).as(sha512), getBlob(repo, sha512Of(small)).as(sha512),
			start(repo, 2).asking("digest-algorithm=nonsense").as(badQuery),
		)},
	}
}

// wrongAnyway is what would be wrong if there were a session.
func wrongAnyway(n int) []step {
	d := digestOf(small)
	return seq(
		patch(repo, n, small).with("Content-Range", "x").as(badChunkRange),
		patch(repo, n, small).with("Content-Range", "0-3").as(badLength),
		finish(repo, n, "nonsense", small).as(badDigest),
		upload(uploadPut, "PUT", repo, n, small),
		finish(repo, n, d, small).with("Content-Range", "x").as(badChunkRange),
		finish(repo, n, d, small).with("Content-Range", "0-3").as(badLength),
		chunk(repo, n, 5, small).as(badOrder),
	)
}

func streamed(s step) step { s.chunked = true; return s }

func on(a address, s step) step { s.address = a; return s }

// post is a whole blob in one POST.
func post(repo string, n int, digest string, content []byte) step {
	s := start(repo, n).asking("digest="+digest).with("Content-Type", octets)
	s.body, s.ref = content, digest
	return s
}

func badRanges(values ...string) []step {
	list := seq(start(repo, 1))
	for _, v := range values {
		list = append(list,
			patch(repo, 1, small).with("Content-Range", v).as(badChunkRange),
			finish(repo, 1, digestOf(small), small).with("Content-Range", v).as(badChunkRange),
		)
	}
	return append(list, status(repo, 1))
}

// fixedMounts is blobs that come from another repository.
func fixedMounts() []fixed {
	d := digestOf(small)
	return []fixed{
		{"mount", seq(stocked(other), mount(repo, other, d, 1), getBlob(repo, d), mount(repo, other, d, 2), repositories(""))},
		{"mount of what is absent", seq(
			stocked(other), mount(repo, other, digestOf(absent), 1), status(repo, 1), finish(repo, 1, digestOf(absent), absent),
			mount(repo, fresh, d, 2), mount(repo, third, d, 3), getBlob(repo, d),
		)},
		{"mount from itself", seq(stocked(repo), mount(repo, repo, d, 1), getBlob(repo, d))},
		{"mount without from", seq(
			stocked(other), mount(repo, "", d, 1).as(anonymous), getBlob(repo, d), mount(repo, "", digestOf(absent), 2).as(anonymous), status(repo, 2),
		)},
		{"malformed mounts", seq(
			stocked(other),
			mount(repo, other, "nonsense", 1).as(badMount), mount(repo, other, "sha256:abc", 2).as(badMount),
			mount(repo, "Bad//Name", d, 3).as(badMount), mount(repo, "", "nonsense", 4).as(anonymous, badMount),
			start(repo, 5).asking("from="+other), start(repo, 6).asking("from=Bad").as(badMount), start(repo, 7).asking("unknown=parameter"),
		)},
	}
}
