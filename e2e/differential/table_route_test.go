package differential

import "strings"

// contentOps name a repository and something in it.
var contentOps = []op{
	manifestHead, manifestGet, manifestPut, manifestDelete, blobHead, blobGet, blobDelete, uploadStart, tagList,
}

func routeDeviations() []deviation {
	noListing := func(x exchange) bool { return !strings.Contains(x.path, "/referrers/") && x.path != "/v2/" }
	return []deviation{
		{
			id: "base-methods", ops: []op{route}, label: wrongMethod,
			forms: []difference{outcome("200", "405 UNSUPPORTED")}, when: func(x exchange) bool { return x.path == "/v2/" },
			request: "any method on `/v2/`", distribution: "200", berth: "405 but for GET and HEAD",
			why: reason{source: rfc9110, section: "9.1 Overview", quote: "All other methods are OPTIONAL.",
				design: "A method that does nothing is not one that succeeds."},
		},
		{
			id: "base-without-slash", ops: []op{route}, label: uncleanPath,
			forms: []difference{outcome("301", "200")}, when: func(x exchange) bool { return x.path == "/v2" },
			request: "`GET /v2`", distribution: "301 to `/v2/`", berth: "200",
			why: reason{design: "Clients that write the path so mean the same; a redirect would cost them their Authorization header or a round trip."},
		},
		{
			id: "uploads-without-slash", ops: []op{route}, label: uncleanPath,
			forms:   []difference{outcome("301", "202")},
			request: "`POST /v2/<name>/blobs/uploads`, without the last slash", distribution: "301", berth: "202, as with the slash",
			why: reason{source: rfc9110, section: "15.4.2 301 Moved Permanently",
				quote:  "For historical reasons, a user agent MAY change the request method from POST to GET for the subsequent request.",
				design: "So a redirect would not be followed by a POST."},
		},
		{
			id: "unclean-path", ops: []op{route}, label: uncleanPath,
			forms:        []difference{outcome("301", "400 NAME_INVALID|404 UNSUPPORTED")},
			request:      "`//`, `/./`, `/../` or a slash too many in a path",
			distribution: "301 to the cleaned path", berth: "400 NAME_INVALID, or 404 where no endpoint is left",
			why: reason{source: distributionSpec, section: "Pulling manifests",
				quote:  "Throughout this document, `<name>` MUST match the following regular expression:",
				design: "What permissions were asked for is then exactly what is served; nothing rewrites a path."},
		},
		{
			id: "escaped-slash", label: escapedSlash, forms: []difference{outcome("200", "400 NAME_INVALID")},
			request: "`%2F` in a repository name", distribution: "taken for a slash", berth: "400 NAME_INVALID",
			why: reason{source: rfc3986, section: "2.2 Reserved Characters",
				quote: "URIs that differ in the replacement of a reserved character with its corresponding percent-encoded octet are not equivalent."},
		},
		{
			id: "malformed-name", ops: contentOps, label: badName,
			forms: []difference{
				outcome("404|404 NAME_UNKNOWN|404 MANIFEST_UNKNOWN|404 BLOB_UNKNOWN|202", "400 NAME_INVALID"),
				code("MANIFEST_BLOB_UNKNOWN", "NAME_INVALID"),
			},
			mend:    forgetSession,
			request: "a repository name against the grammar", distribution: "404 as plain text; a first component in upper case is even accepted",
			berth: "400 NAME_INVALID",
			why: reason{source: distributionSpec, section: "Pulling manifests",
				quote:  "Throughout this document, `<name>` MUST match the following regular expression:",
				design: "Code code-8, NAME_INVALID, is \"invalid repository name\"."},
		},
		{
			id: "long-name", ops: contentOps, label: longName, forms: []difference{outcome("500 UNKNOWN", "400 NAME_INVALID")},
			request: "a repository name above 255 bytes", distribution: "500 UNKNOWN", berth: "400 NAME_INVALID",
			why: reason{source: distributionSpec, section: "Pulling manifests",
				quote: "For compatibility with those clients, registries should avoid values of `<name>` that would cause this limit to be exceeded."},
		},
		{
			id: "malformed-tag", ops: contentOps, label: badTag, forms: []difference{outcome("404", "400 MANIFEST_INVALID")},
			request: "a tag against the grammar", distribution: "404 as plain text", berth: "400 MANIFEST_INVALID, \"invalid tag\"",
			why: reason{source: distributionSpec, section: "Pulling manifests",
				quote:  "The `<tag-or-digest>` MUST NOT be in any other format.",
				design: "The table of codes has none for tags: decision 2."},
		},
		{
			id: "malformed-digest", ops: contentOps, label: badDigest, forms: []difference{outcome("404", "400 DIGEST_INVALID")},
			request: "a digest too short to look like one", distribution: "404 as plain text; 400 DIGEST_INVALID for longer ones", berth: "400 DIGEST_INVALID",
			why: reason{source: distributionSpec, section: "Pulling manifests",
				quote: "The `<tag-or-digest>` MUST NOT be in any other format."},
		},
		{
			id: "other-algorithm", ops: contentOps, label: otherDigest,
			forms:   []difference{outcome("404 BLOB_UNKNOWN|404 MANIFEST_UNKNOWN", "400 DIGEST_INVALID")},
			request: "a sha384 digest", distribution: "404 as for any absent content", berth: "400 DIGEST_INVALID",
			why: reason{source: distributionSpec, section: "Pushing blobs",
				quote: "In each implementation, if the client provided digest is invalid or uses an unsupported algorithm, the registry SHOULD respond with a response code `400 Bad Request`."},
		},
		{
			id: "no-endpoint", ops: []op{route}, label: noEndpoint, forms: []difference{code("", "UNSUPPORTED")},
			request: "a path that is no endpoint", distribution: "404 as plain text", berth: "404 with code UNSUPPORTED",
			why: reason{source: distributionSpec, section: "Error Codes", quote: "A `4XX` response code from the registry MAY return a body in any format.",
				design: "One format for every error."},
		},
		{
			id: "version-header", ops: []op{route}, label: noEndpoint,
			forms:   []difference{{"Docker-Distribution-Api-Version", "registry/2.0", ""}},
			when:    func(x exchange) bool { return !strings.HasPrefix(x.path, "/v2/") },
			request: "a path outside of `/v2/`", distribution: "Docker-Distribution-Api-Version", berth: "the header below `/v2/` only",
			why: reason{source: distributionSpec, section: "Legacy Docker support HTTP headers",
				quote: "Unless documented elsewhere in the spec, these headers are OPTIONAL and clients SHOULD NOT depend on them."},
		},
		{
			id: "method-code", ops: []op{route}, label: wrongMethod, forms: []difference{code("", "UNSUPPORTED")},
			request: "a method that an endpoint has not", distribution: "405 as plain text", berth: "405 with code UNSUPPORTED",
			why: reason{source: distributionSpec, section: "Error Codes", quote: "A `4XX` response code from the registry MAY return a body in any format."},
		},
		{
			id: "upload-methods", ops: []op{route}, label: wrongMethod,
			forms:   []difference{outcome("404 BLOB_UPLOAD_UNKNOWN|404 BLOB_UPLOAD_INVALID", "405 UNSUPPORTED")},
			request: "a method that uploads have not", distribution: "404 BLOB_UPLOAD_UNKNOWN or BLOB_UPLOAD_INVALID", berth: "405 UNSUPPORTED with Allow",
			why: reason{source: rfc9110, section: "15.5.6 405 Method Not Allowed",
				quote: "The 405 (Method Not Allowed) status code indicates that the method received in the request-line is known by the origin server but not supported by the target resource."},
		},
		{
			id: "options", ops: []op{route}, label: optionsOf, forms: []difference{outcome("200", "405 UNSUPPORTED")}, when: noListing,
			request: "OPTIONS", distribution: "200 with Allow", berth: "405 with Allow",
			why: reason{source: rfc9110, section: "9.1 Overview", quote: "All other methods are OPTIONAL.",
				design: "What a browser could do across origins is not answered."},
		},
		{
			id: "head-of-listings", ops: []op{tagList, catalog, route},
			forms: []difference{outcome("405", "200"), {"Allow", "GET", "GET, HEAD"}}, when: either(headListing, wrongMethod),
			request: "HEAD of `tags/list` and `_catalog`", distribution: "405", berth: "200",
			why: reason{source: rfc9110, section: "9.1 Overview", quote: "All general-purpose servers MUST support the methods GET and HEAD."},
		},
		{
			id: "head-of-a-session", ops: []op{route}, label: headListing, forms: []difference{outcome("204", "405 UNSUPPORTED")},
			request: "HEAD of an upload session", distribution: "204 as for GET", berth: "405",
			why:  reason{design: "The specification has GET only (end-13)."},
			open: "RFC 9110, 9.1: \"All general-purpose servers MUST support the methods GET and HEAD.\"",
		},
	}
}
