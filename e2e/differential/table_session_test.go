package differential

// sessionDeviations is what becomes of an upload session.
func sessionDeviations() []deviation {
	changes := []op{uploadPatch, uploadPut, uploadCancel}
	return []deviation{
		{
			id: "unknown-session", ops: changes, forms: []difference{code("BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN")},
			when:    func(x exchange) bool { return x.berth.status == 404 },
			request: "a session that never was, or is another repository's", distribution: "404 BLOB_UPLOAD_INVALID", berth: "404 BLOB_UPLOAD_UNKNOWN",
			why: reason{source: distributionSpec, section: "Error Codes", quote: "The `code` field MUST be one of the following:",
				design: "code-3, BLOB_UPLOAD_UNKNOWN, is \"blob upload unknown to registry\"."},
		},
		{
			id: "earlier-location", ops: changes, label: staleURL, forms: []difference{outcome("416 RANGE_INVALID", "202|201|204")}, mend: evenUpload,
			request: "a session by the Location of an earlier answer", distribution: "416, even for DELETE", berth: "the same session; Content-Range decides about the order",
			why: reason{source: distributionSpec, section: "Pushing a blob in chunks",
				quote:  "Each consecutive chunk upload SHOULD use the `<blob-push-location>` provided in the response to the previous chunk upload.",
				design: "A SHOULD of the client; berth keeps no state in the URL."},
		},
		{
			id: "location-by-hand", ops: changes, label: ownURL, forms: []difference{outcome("404 BLOB_UPLOAD_INVALID", "202|201|204")}, mend: evenUpload,
			request: "a session by the path of its Location, without the query", distribution: "404 BLOB_UPLOAD_INVALID", berth: "the same session",
			why: reason{source: distributionSpec, section: "POST then PUT",
				quote:  "It SHOULD NOT be assembled manually by clients except where absolute/relative conversion is necessary.",
				design: "A SHOULD of the client; berth keeps no state in the URL."},
		},
		{
			id: "after-a-wrong-digest", ops: []op{uploadGet, uploadPatch, uploadPut, uploadCancel},
			forms: []difference{
				outcome("204|202|201|400 DIGEST_INVALID|416 RANGE_INVALID|500 UNKNOWN", "404 BLOB_UPLOAD_UNKNOWN"),
				outcome("416 RANGE_INVALID", "400 DIGEST_INVALID"), // malformed besides
			},
			when: func(x exchange) bool { return x.spoiled }, mend: evenUpload,
			request: "a session after a PUT whose digest did not match", distribution: "still there, in whatever state", berth: "404 BLOB_UPLOAD_UNKNOWN: nothing is kept",
			why: reason{design: "What was received is not what was meant; going on with it cannot end well."},
		},
		{
			id: "request-before-session", ops: changes,
			forms: []difference{
				outcome("404 BLOB_UPLOAD_UNKNOWN|404 BLOB_UPLOAD_INVALID", "400 SIZE_INVALID|400 DIGEST_INVALID|400 BLOB_UPLOAD_INVALID"),
				outcome("416 RANGE_INVALID", "400 SIZE_INVALID"),
			},
			request: "a request that no session would take, to one that is not there or stands elsewhere", distribution: "404 or 416", berth: "400",
			why: reason{design: "Both are true; what can be told from the request alone is told first, before anything is looked up."},
		},
		{
			id: "two-writers", ops: []op{uploadPatch}, label: meanwhile, forms: []difference{outcome("202", "409 BLOB_UPLOAD_INVALID")},
			request: "PATCH of a session while another PATCH is on its way", distribution: "202, the bytes of both interleave", berth: "409 BLOB_UPLOAD_INVALID",
			why: reason{source: distributionSpec, section: "Pushing a blob in chunks",
				quote:  "Chunks MUST be uploaded in order, with the first byte of a chunk being the last chunk's `<end-of-range>` plus one.",
				design: "While the one writes, nobody can know where the other would begin."},
		},
		{
			id: "cancel-uuid", ops: []op{uploadCancel}, forms: []difference{{"Docker-Upload-Uuid", "<session>", ""}},
			request: "DELETE of a session", distribution: "Docker-Upload-UUID of the session that is no more", berth: "204 without it",
			why: reason{source: distributionSpec, section: "Legacy Docker support HTTP headers",
				quote: "Unless documented elsewhere in the spec, these headers are OPTIONAL and clients SHOULD NOT depend on them."},
		},
	}
}
