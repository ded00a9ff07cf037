package differential

// uploadDeviations is how a blob may be pushed.
func uploadDeviations() []deviation {
	writes := []op{uploadPatch, uploadPut}
	begin := []op{uploadStart}
	return []deviation{
		{
			id: "single-post", ops: begin, label: singlePost, forms: []difference{outcome("202", "201")}, mend: giveBlob,
			request: "`POST uploads/?digest=` with the blob", distribution: "202, the body is ignored", berth: "201, the blob is there",
			why: reason{source: distributionSpec, section: "Single POST", quote: "Successful completion of the request MUST return a `201 Created` and MUST include the following header:"},
		},
		{
			id: "single-post-digest", ops: begin, label: singlePost, forms: []difference{outcome("202", "400 DIGEST_INVALID")}, mend: forgetSession,
			request: "`POST uploads/?digest=` with a digest that is malformed or another's", distribution: "202", berth: "400 DIGEST_INVALID",
			why: reason{source: distributionSpec, section: "Pushing blobs",
				quote: "In each implementation, if the client provided digest is invalid or uses an unsupported algorithm, the registry SHOULD respond with a response code `400 Bad Request`."},
		},
		{
			id: "digest-algorithm", ops: begin, label: badQuery, forms: []difference{outcome("202", "400 DIGEST_INVALID")},
			when: func(x exchange) bool { return !x.is(singlePost) }, mend: forgetSession,
			request: "`POST uploads/?digest-algorithm=` of one that is not supported", distribution: "202, the parameter is ignored", berth: "400 DIGEST_INVALID",
			why: reason{source: distributionSpec, section: "Pushing blobs",
				quote: "In each implementation, if the client provided digest is invalid or uses an unsupported algorithm, the registry SHOULD respond with a response code `400 Bad Request`."},
		},
		{
			id: "anonymous-mount", ops: begin, label: anonymous, forms: []difference{outcome("202", "201")}, mend: giveBlob,
			request: "`POST uploads/?mount=` without from", distribution: "202, a session", berth: "201 if the caller may pull the blob anywhere",
			why: reason{source: distributionSpec, section: "Mounting a blob from another repository",
				quote: "The registry MAY treat the `from` parameter as optional, and it MAY cross-mount the blob if it can be found."},
		},
		{
			id: "malformed-mount", ops: begin, label: badMount, forms: []difference{outcome("202", "400 DIGEST_INVALID|400 NAME_INVALID")}, mend: forgetSession,
			request: "a mount whose digest or from is malformed", distribution: "202, a session", berth: "400 DIGEST_INVALID or NAME_INVALID",
			why: reason{source: distributionSpec, section: "Pushing blobs",
				quote: "In each implementation, if the client provided digest is invalid or uses an unsupported algorithm, the registry SHOULD respond with a response code `400 Bad Request`."},
		},
		{
			id: "order-code", ops: writes, forms: []difference{code("RANGE_INVALID", "BLOB_UPLOAD_INVALID")},
			request: "a chunk out of order", distribution: "416 RANGE_INVALID", berth: "416 BLOB_UPLOAD_INVALID",
			why: reason{source: distributionSpec, section: "Error Codes", quote: "The `code` field MUST be one of the following:",
				design: "RANGE_INVALID is none of them."},
		},
		{
			id: "order-headers", ops: writes,
			forms:   []difference{{"Location", "", "*"}, {"Range", "", "0-*"}, {"Docker-Upload-Uuid", "", "*"}},
			when:    func(x exchange) bool { return x.berth.status == 416 },
			request: "a chunk out of order", distribution: "416 alone", berth: "416 with the Location and Range that GET would answer",
			why: reason{source: distributionSpec, section: "Pushing a blob in chunks",
				quote:  "A GET request may be used to retrieve the current valid offset and upload location.",
				design: "It need not be."},
		},
		{
			id: "malformed-content-range", ops: writes, label: badChunkRange,
			forms:   []difference{outcome("500 UNKNOWN|416 RANGE_INVALID", "400 BLOB_UPLOAD_INVALID")},
			request: "a malformed Content-Range", distribution: "500 UNKNOWN, or 416 if it ends before it begins", berth: "400 BLOB_UPLOAD_INVALID",
			why: reason{source: distributionSpec, section: "Pushing a blob in chunks", quote: "It MUST match the following regular expression:"},
		},
		{
			id: "rfc-content-range", ops: writes, label: rfcRange, forms: []difference{outcome("500 UNKNOWN", "202|201|416 BLOB_UPLOAD_INVALID")}, mend: evenUpload,
			request: "`Content-Range: bytes 0-4/*`", distribution: "500 UNKNOWN", berth: "understood",
			why: reason{source: distributionSpec, section: "API",
				quote:  "Where this specification does not define specific behavior, implementations SHOULD follow the HTTP semantics defined in RFC 9110.",
				design: "That is how RFC 9110, 14.4, writes it."},
		},
		{
			id: "streamed-order", ops: writes, label: streamedRange, forms: []difference{outcome("202|201", "416 BLOB_UPLOAD_INVALID|400 SIZE_INVALID")}, mend: evenUpload,
			request: "a Content-Range on a body without Content-Length, out of order or not as long as it says", distribution: "the header is ignored, the bytes are appended", berth: "416, or 400 SIZE_INVALID, and nothing is appended",
			why: reason{source: distributionSpec, section: "Pushing a blob in chunks",
				quote: "If a chunk is uploaded out of order, the registry MUST respond with a `416 Requested Range Not Satisfiable` code."},
		},
		{
			id: "patch-content-type", ops: []op{uploadPatch}, label: wrongType, forms: []difference{outcome("500 UNKNOWN", "202")}, mend: evenUpload,
			request: "PATCH with a Content-Type other than application/octet-stream", distribution: "500 UNKNOWN", berth: "202",
			why: reason{source: rfc9110, section: "15.6.1 500 Internal Server Error",
				quote:  "The 500 (Internal Server Error) status code indicates that the server encountered an unexpected condition that prevented it from fulfilling the request.",
				design: "The bytes of a blob are bytes, whatever a client calls them; PUT takes them at both."},
		},
	}
}
