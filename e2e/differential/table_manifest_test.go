package differential

import (
	"slices"
	"strings"
)

func manifestDeviations() []deviation {
	return slices.Concat(pushedMore(), pushedLess(), pushErrors(), pushOrder())
}

// pushedMore is what berth takes and distribution does not.
func pushedMore() []deviation {
	put := []op{manifestPut}
	return []deviation{
		{
			id: "subject", ops: put, label: withSubject, forms: []difference{{"Oci-Subject", "", "sha256:*"}},
			request: "a manifest with a subject", distribution: "no OCI-Subject", berth: "OCI-Subject with the subject's digest",
			why: reason{source: distributionSpec, section: "Pushing Manifests with Subject",
				quote: "When processing a request for an image manifest with the `subject` field, a registry implementation that supports the referrers API MUST respond with the response header `OCI-Subject: <subject digest>` to indicate to the client that the registry processed the request's `subject`."},
		},
		{
			id: "tag-parameters", ops: put, label: withTags, forms: []difference{{"Oci-Tag", "", "*"}}, mend: addTags,
			request: "`PUT manifests/<digest>?tag=a&tag=b`", distribution: "parameters ignored", berth: "sets the tags, answers OCI-Tag",
			why: reason{source: distributionSpec, section: "Pushing Manifests",
				quote: "When pushing a manifest by digest, the registry MAY support the pushing of tags specified by addition of `tag` query parameters."},
		},
		{
			id: "sha512-manifest", label: sha512, ops: []op{manifestPut, manifestGet},
			forms:   []difference{outcome("400 DIGEST_INVALID", "201"), outcome("404 MANIFEST_UNKNOWN", "200")},
			request: "a manifest by its sha512 digest", distribution: "400 DIGEST_INVALID", berth: "201",
			why: reason{source: distributionSpec, section: "Pushing Manifests",
				quote: "The Docker-Content-Digest header returns the digest of the uploaded blob, and MUST be equal to the client provided digest."},
		},
		{
			id: "content-type-from-the-document", ops: put, forms: []difference{outcome("400 MANIFEST_INVALID", "201|404 MANIFEST_BLOB_UNKNOWN")},
			when: either(noContentType, plainJSON), mend: undoManifest,
			request: "a manifest without Content-Type, or application/json, with a mediaType in the document", distribution: "400 MANIFEST_INVALID", berth: "201, of the document's mediaType",
			why: reason{source: distributionSpec, section: "Pushing Manifests",
				quote:  "Clients SHOULD set the `Content-Type` header to the type of the manifest being pushed.",
				design: "A SHOULD: who does not is understood all the same."},
		},
		{
			id: "other-media-types", ops: put, forms: []difference{outcome("400 MANIFEST_INVALID", "201|404 MANIFEST_BLOB_UNKNOWN")},
			when: either(unknownType, artifactType), mend: undoManifest,
			request: "a manifest of a media type that is neither OCI's nor Docker's", distribution: "400 MANIFEST_INVALID", berth: "201 if it has the shape of a manifest or index",
			why: reason{source: distributionSpec, section: "Introduction", quote: "The specification is designed to be agnostic of content types."},
		},
		{
			id: "layers-with-urls", ops: put, forms: []difference{outcome("500 MANIFEST_BLOB_UNKNOWN+UNKNOWN", "201|404 MANIFEST_BLOB_UNKNOWN"), outcome("400 MANIFEST_BLOB_UNKNOWN+UNKNOWN", "404 MANIFEST_BLOB_UNKNOWN")},
			when: either(foreignLayer, urlLayer), mend: undoManifest,
			request: "an image with a layer that has URLs", distribution: "500, unless validation.manifests.urls allows them", berth: "201; the URLs are never fetched",
			why: reason{source: imageSpec, section: "layer.md, Non-Distributable Layers",
				quote: "Implementations SHOULD NOT upload layers tagged with this media type; however, such a media type SHOULD NOT affect whether an implementation downloads the layer."},
		},
	}
}

// pushedLess is what distribution takes and berth does not.
func pushedLess() []deviation {
	put := []op{manifestPut}
	refused := []difference{outcome("201", "400 MANIFEST_INVALID")}
	return []deviation{
		{
			id: "malformed-tag-parameter", ops: put, label: badTagParam, forms: refused, mend: undoManifest,
			request: "`PUT manifests/<digest>?tag=` with a malformed tag", distribution: "parameter ignored", berth: "400 MANIFEST_INVALID, nothing stored",
			why: reason{source: distributionSpec, section: "Pulling manifests", quote: "The `<tag-or-digest>` MUST NOT be in any other format."},
		},
		{
			id: "keys-twice", ops: put, label: twoKeys, forms: refused, mend: undoManifest,
			request: "a document with the same key twice", distribution: "201", berth: "400 MANIFEST_INVALID",
			why: reason{source: rfc8259, section: "4 Objects",
				quote:  "When the names within an object are not unique, the behavior of software that receives such an object is unpredictable.",
				design: "What the registry checked would not be what a client reads."},
		},
		{
			id: "image-and-index", ops: put, label: bothKinds, forms: refused, mend: undoManifest,
			request: "a Docker list with layers", distribution: "201; refuses the OCI form", berth: "400 MANIFEST_INVALID in either form",
			why: reason{design: "CVE-2021-41190: a document that two readers take for different things."},
		},
		{
			id: "no-manifests", ops: put, label: noManifests, forms: refused, mend: undoManifest,
			request: "an index without the key `manifests`", distribution: "201", berth: "400 MANIFEST_INVALID",
			why: reason{source: imageSpec, section: "image-index.md, Image Index Property Descriptions",
				quote: "While this property MUST be present, the size of the array MAY be zero."},
		},
		{
			id: "negative-size", ops: put, label: badSize, forms: refused, mend: undoManifest,
			request: "a descriptor with a negative size", distribution: "201", berth: "400 MANIFEST_INVALID",
			why: reason{source: imageSpec, section: "descriptor.md, Properties", quote: "This REQUIRED property specifies the size, in bytes, of the raw content."},
		},
	}
}

// pushErrors is what both refuse, in different words.
func pushErrors() []deviation {
	put := []op{manifestPut}
	return []deviation{
		{
			id: "missing-blobs", ops: put, forms: []difference{outcome("400 MANIFEST_BLOB_UNKNOWN", "404 MANIFEST_BLOB_UNKNOWN")},
			request: "a manifest whose blobs or children are absent", distribution: "400, an error for each", berth: "404, one error that names all",
			why: reason{source: distributionSpec, section: "Push",
				quote:  "When a manifest is rejected for this reason, it MUST result in one or more `MANIFEST_BLOB_UNKNOWN` errors.",
				design: "The table of endpoints has 404 and 413 for the failures of end-7a."},
		},
		{
			id: "large-manifest", ops: put, label: tooLarge, forms: []difference{outcome("400 MANIFEST_INVALID", "413 MANIFEST_INVALID")},
			request: "a manifest above 4 MiB", distribution: "400", berth: "413",
			why: reason{source: distributionSpec, section: "Pushing Manifests",
				quote: "A registry that enforces this limit SHOULD respond to a request to push a manifest over this limit with a response code `413 Payload Too Large`."},
		},
		{
			id: "malformed-manifest", ops: put,
			forms: []difference{
				outcome("500 UNKNOWN|500 MANIFEST_BLOB_UNKNOWN+UNKNOWN", "400 MANIFEST_INVALID"),
				code("DIGEST_INVALID+MANIFEST_BLOB_UNKNOWN|MANIFEST_BLOB_UNKNOWN+UNKNOWN", "MANIFEST_INVALID"),
			},
			when:         either(badJSON, badVersion, badDescriptor, noLayers),
			request:      "`null` for a document, another schemaVersion, a descriptor with a malformed digest, an image without config",
			distribution: "500, or 400 DIGEST_INVALID and MANIFEST_BLOB_UNKNOWN", berth: "400 MANIFEST_INVALID",
			why: reason{source: rfc9110, section: "15.6.1 500 Internal Server Error",
				quote:  "The 500 (Internal Server Error) status code indicates that the server encountered an unexpected condition that prevented it from fulfilling the request.",
				design: "These are the client's; code code-6 is \"manifest invalid\"."},
		},
	}
}

// pushOrder is requests in which several things are wrong, of which the two
// name different ones.
func pushOrder() []deviation {
	put := []op{manifestPut}
	return []deviation{
		{
			id: "digest-before-document", ops: put, forms: []difference{code("MANIFEST_INVALID", "DIGEST_INVALID")}, when: otherContent,
			request: "a malformed manifest by the digest of something else", distribution: "400 MANIFEST_INVALID", berth: "400 DIGEST_INVALID",
			why: reason{design: "Both are true; bytes that are not the ones meant are not read any further."},
		},
		{
			id: "document-before-blobs", ops: put, forms: []difference{code("MANIFEST_BLOB_UNKNOWN", "MANIFEST_INVALID")},
			when:    either(twoKeys, bothKinds, badSize, badTagParam),
			request: "a manifest that only berth refuses, whose blobs are absent", distribution: "400 MANIFEST_BLOB_UNKNOWN", berth: "400 MANIFEST_INVALID",
			why: reason{design: "Both are true; pushing the blobs would not help."},
		},
	}
}

// otherContent holds for a PUT by the digest of something else.
func otherContent(x exchange) bool {
	return strings.HasPrefix(x.ref, "sha256:") && x.ref != digestOf(x.body)
}

func deleteDeviations() []deviation {
	return []deviation{
		{
			id: "blob-in-use", ops: []op{blobDelete}, forms: []difference{outcome("202", "405 UNSUPPORTED")}, mend: restoreBlob,
			request: "DELETE of a blob that a manifest of the repository needs", distribution: "202, and the manifest cannot be pulled any more", berth: "405 UNSUPPORTED with the reason",
			why: reason{source: distributionSpec, section: "Deleting Blobs",
				quote: "If blob deletion is disabled, the registry MUST respond with either a `400 Bad Request` or a `405 Method Not Allowed`."},
		},
		{
			id: "manifest-in-use", ops: []op{manifestDelete}, forms: []difference{outcome("202", "405 UNSUPPORTED")}, mend: restoreManifest,
			request: "DELETE of a manifest that an index of the repository lists", distribution: "202, and the index is broken", berth: "405 UNSUPPORTED with the reason",
			why: reason{source: distributionSpec, section: "Deleting Manifests",
				quote: "If manifest deletion is disabled, the registry MUST respond with either a `400 Bad Request` or a `405 Method Not Allowed`."},
		},
	}
}
