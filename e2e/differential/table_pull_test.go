package differential

func pullDeviations() []deviation {
	pulls := []op{manifestGet, manifestHead}
	return []deviation{
		{
			id: "accept", ops: pulls, forms: []difference{outcome("404 MANIFEST_UNKNOWN|400 MANIFEST_INVALID", "200")}, when: either(noAccept, narrowly),
			request: "a manifest, with an Accept header without its type or with none", distribution: "404 MANIFEST_UNKNOWN (OCI), 400 MANIFEST_INVALID (Docker lists)",
			berth: "200 with what is stored",
			why: reason{source: distributionSpec, section: "Pulling manifests",
				quote: "A GET request to an existing manifest URL MUST provide the expected manifest, with a response code that MUST be `200 OK`."},
		},
		{
			id: "list-rewritten", ops: pulls,
			forms: []difference{
				{"Content-Length", "*", "*"}, {"Content-Type", "*", dockerList}, {"Docker-Content-Digest", "sha256:*", "sha256:*"},
				{"Etag", "*", "*"}, {"body", "*", "*"},
			},
			when: func(x exchange) bool {
				return (x.is(noAccept) || x.is(narrowly)) && x.berth.header["Content-Type"] == dockerList
			},
			request: "a tag of a Docker manifest list, with an Accept without lists", distribution: "the list's image for linux/amd64 instead", berth: "the list",
			why: reason{source: distributionSpec, section: "Pulling manifests",
				quote:  "A GET request to an existing manifest URL MUST provide the expected manifest, with a response code that MUST be `200 OK`.",
				design: "One tag has one digest, whoever asks."},
		},
		{
			id: "not-modified-headers", ops: pulls,
			forms:   []difference{{"Docker-Content-Digest", "", "sha256:*"}, {"Etag", "", "\"sha256:*"}},
			when:    func(x exchange) bool { return x.dist.status == 304 },
			request: "If-None-Match of the manifest's own digest", distribution: "304 without ETag and Docker-Content-Digest", berth: "304 with both",
			why: reason{source: rfc9110, section: "15.4.5 304 Not Modified",
				quote: "The server generating a 304 response MUST generate any of the following header fields that would have been sent in a 200 (OK) response to the same request:"},
		},
		{
			id: "limit-preview", ops: []op{manifestHead}, label: limitProbe, forms: []difference{outcome("404 MANIFEST_UNKNOWN", "200")},
			request: "`HEAD /v2/ratelimitpreview/test/manifests/latest`", distribution: "404, or what is stored there", berth: "200 with what is left of the caller's pull limit",
			why: reason{design: "The probe that Docker documents for its Hub; a GET is a pull as any other."},
		},
		{
			id: "if-none-match-lists", ops: pulls, label: listed, forms: []difference{outcome("200", "304")},
			request: "If-None-Match with several tags, a weak one or `*`", distribution: "200", berth: "304 if one matches",
			why: reason{source: rfc9110, section: "13.1.2 If-None-Match",
				quote: "If the field value is a list of entity tags, the condition is false if one of the listed tags matches the entity tag of the selected representation."},
		},
		{
			id: "if-none-match-unquoted", ops: pulls, label: unquoted, forms: []difference{outcome("304", "200")},
			request: "If-None-Match without quotes", distribution: "304", berth: "200",
			why: reason{source: rfc9110, section: "8.8.3 ETag", quote: "An entity tag consists of an opaque quoted string, possibly prefixed by a weakness indicator."},
		},
		{
			id: "if-none-match-of-the-absent", ops: pulls, label: conditional, forms: []difference{outcome("304", "404 MANIFEST_UNKNOWN")},
			request: "an absent manifest by digest, If-None-Match of that digest", distribution: "304", berth: "404 MANIFEST_UNKNOWN",
			why: reason{source: distributionSpec, section: "Pulling manifests",
				quote: "If the manifest is not found in the repository, the response code MUST be `404 Not Found`."},
		},
		{
			id: "manifest-cache-control", ops: pulls, forms: []difference{{"Cache-Control", "", immutable}},
			request: "a manifest by digest", distribution: "no Cache-Control", berth: "`" + immutable + "`",
			why: reason{source: rfc9111, section: "5.2.2.7 private",
				quote:  "The unqualified private response directive indicates that a shared cache MUST NOT store the response (i.e., the response is intended for a single user).",
				design: "What a digest names never changes."},
		},
	}
}

// immutable is berth's Cache-Control of what is addressed by its digest.
const immutable = "private, max-age=31536000, immutable"
