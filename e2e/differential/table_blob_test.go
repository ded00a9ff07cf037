package differential

func blobDeviations() []deviation {
	pulls := []op{blobGet, blobHead}
	const year = "max-age=31536000"
	return []deviation{
		{
			id: "blob-cache-control", ops: pulls, forms: []difference{{"Cache-Control", year, immutable}},
			request: "a blob", distribution: "`Cache-Control: max-age=31536000`", berth: "`" + immutable + "`",
			why: reason{source: rfc9111, section: "5.2.2.7 private",
				quote: "The unqualified private response directive indicates that a shared cache MUST NOT store the response (i.e., the response is intended for a single user)."},
		},
		{
			id: "refused-body", ops: pulls, forms: []difference{code("", "UNSUPPORTED"), {"body", cutOff, ""}},
			when:    func(x exchange) bool { return x.dist.status == 416 || x.dist.status == 412 },
			request: "a blob with a Range or If-Match that cannot be met", distribution: "416 as plain text; 412 that promises the blob's length and breaks off", berth: "an error of code UNSUPPORTED",
			why: reason{source: distributionSpec, section: "Error Codes", quote: "A `4XX` response code from the registry MAY return a body in any format."},
		},
		{
			id: "refused-headers", ops: pulls,
			forms:   []difference{{"Accept-Ranges", "", "bytes"}, {"Cache-Control", year, ""}, {"Etag", "\"sha256:*", ""}},
			when:    func(x exchange) bool { return x.dist.status == 416 || x.dist.status == 412 || x.dist.status == 304 },
			request: "a blob, answered 304, 412 or 416", distribution: "headers of the blob, such as its ETag, on the error", berth: "Accept-Ranges always; ETag and Cache-Control not on errors",
			why: reason{design: "An error must not be cached as the blob; where ranges can be asked for is worth saying with every answer."},
		},
		{
			id: "head-range", ops: []op{blobHead}, label: headRange, forms: []difference{outcome("206|416", "200")},
			request: "HEAD of a blob with Range", distribution: "206 or 416", berth: "200",
			why: reason{source: rfc9110, section: "14.2 Range",
				quote: "A server MUST ignore a Range header field received with a request method that is unrecognized or for which range handling is not defined."},
		},
		{
			id: "head-if-match", ops: []op{blobHead}, label: badMatch, forms: []difference{outcome("412", "200")},
			request: "HEAD of a blob with an If-Match that does not hold", distribution: "412", berth: "200; GET is 412",
			why:  reason{design: "HEAD of a blob knows If-None-Match only."},
			open: "RFC 9110, 13.1.1: \"An origin server that evaluates an If-Match condition MUST NOT perform the requested method if the condition evaluates to false.\"",
		},
		{
			id: "sha512-blob", ops: []op{blobGet, blobHead, uploadPut}, label: sha512,
			forms: []difference{
				{"Docker-Content-Digest", "sha256:*", "sha512:*"}, {"Etag", "\"sha256:*", "\"sha512:*"}, {"Location", "/v2/" + repo + "/blobs/sha256:*", "/v2/" + repo + "/blobs/sha512:*"},
			},
			request: "a blob by its sha512 digest", distribution: "stored and named by its sha256 digest", berth: "named as the client named it",
			why: reason{source: distributionSpec, section: "Pulling blobs",
				quote:  "If present, the value of this header MUST be a digest matching that of the response body.",
				design: "Clients that compare the header with what they asked for find it equal."},
		},
	}
}
