package server_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestManifestTypes pushes every kind of manifest and reads it back: the very
// bytes and the very media type, whatever Accept says.
func TestManifestTypes(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	const repo = "alice/app"
	s.blob(repo, "config")
	s.blob(repo, "layer")
	s.blob(repo, "{}")
	child := image("config", "layer")
	nested := index(child)
	kinds := []struct{ name, mediaType, doc string }{
		{"image", imageType, child},
		{"docker", dockerType, dockerImage("config", "layer", "layer")},
		{"index", indexType, nested},
		{"list", dockerListType, strings.Replace(index(child), indexType, dockerListType, 1)},
		{"nested", indexType, index(nested, child)},
		{"empty-index", indexType, index()},
		{"no-layers", imageType, image("config")},
		{"artifact", imageType, artifact(helmType, child, "1")},
		{"old-artifact", artifactType, fmt.Sprintf(`{"mediaType":%q,"artifactType":"a/b","blobs":%s}`, artifactType, descriptors(layerType, []string{"layer"}))},
		{"unknown", unknownManifest, fmt.Sprintf(`{"layers":%s}`, descriptors(layerType, []string{"layer"}))},
		{"no-media-type", imageType, strings.Replace(child, fmt.Sprintf(`"mediaType":%q,`, imageType), "", 1)},
		{"odd", imageType, "\n { \"x-ünknown\": [1e400 , \"\\u0041\"],\t" + child[1:] + "\r\n\n"},
	}
	for _, kind := range kinds {
		d := digestOf(kind.doc)
		size := fmt.Sprint(len(kind.doc))
		gives := header{"Content-Type": kind.mediaType, "Docker-Content-Digest": d, "Content-Length": size, "Etag": `"` + d + `"`, "X-Content-Type-Options": "nosniff"}
		rows := []row{{
			do: "PUT /v2/alice/app/manifests/" + kind.name, with: header{"Content-Type": kind.mediaType}, body: kind.doc, status: 201,
			gives: header{"Location": "/v2/alice/app/manifests/" + d, "Docker-Content-Digest": d, "OCI-Tag": ""},
		}}
		for _, accept := range []string{"", "*/*", "text/html", dockerType, imageType + ", " + indexType} {
			for _, reference := range []string{kind.name, d} {
				rows = append(rows,
					row{do: "GET /v2/alice/app/manifests/" + reference, with: header{"Accept": accept}, status: 200, gives: gives, text: kind.doc},
					row{do: "HEAD /v2/alice/app/manifests/" + reference, with: header{"Accept": accept}, status: 200, gives: gives})
			}
		}
		s.table(rows)
	}
	s.restart()
	for _, kind := range kinds {
		s.table([]row{{do: "GET /v2/alice/app/manifests/" + kind.name, status: 200, gives: header{"Content-Type": kind.mediaType}, text: kind.doc}})
	}
}

func TestManifestPush(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	const repo = "alice/app"
	s.blob(repo, "config")
	s.blob(repo, "layer")
	doc := image("config", "layer")
	d, long := digestOf(doc), sha512Of(doc)
	other := image("config", "layer", "layer")
	const at = "/v2/alice/app/manifests/"
	s.table([]row{
		{do: "GET " + at + "v1", status: 404, code: "MANIFEST_UNKNOWN"},
		{do: "HEAD " + at + "v1", status: 404},
		{do: "PUT " + at + "v1", body: doc, status: 201, gives: header{"Location": at + d, "Docker-Content-Digest": d}},
		{do: "PUT " + at + "v1", body: doc, stream: true, status: 201},
		{do: "PUT " + at + d, body: doc, status: 201, gives: header{"Location": at + d, "Docker-Content-Digest": d}},
		{do: "PUT " + at + "sha256%3A" + d[7:], body: doc, status: 201},
		{do: "PUT " + at + long, body: doc, status: 201, gives: header{"Location": at + long, "Docker-Content-Digest": long}},
		{do: "GET " + at + long, status: 200, gives: header{"Docker-Content-Digest": long}, text: doc},
		{do: "GET " + at + "v1", status: 200, gives: header{"Docker-Content-Digest": d, "Cache-Control": ""}, text: doc},
		{do: "GET " + at + d, status: 200, gives: header{"Cache-Control": "private, max-age=31536000, immutable"}, text: doc},

		// A digest that is not that of the bytes.
		{do: "PUT " + at + digestOf("x"), body: doc, status: 400, code: "DIGEST_INVALID"},
		{do: "GET " + at + digestOf("x"), status: 404, code: "MANIFEST_UNKNOWN"},
		{do: "PUT " + at + "sha256:abc", body: doc, status: 400, code: "DIGEST_INVALID"},
		{do: "PUT " + at + "md5:d41d8cd98f00b204e9800998ecf8427e", body: doc, status: 400, code: "DIGEST_INVALID"},

		// A tag that is moved leaves what it named.
		{do: "PUT " + at + "v1", body: other, status: 201},
		{do: "GET " + at + "v1", status: 200, text: other},
		{do: "GET " + at + d, status: 200, text: doc},

		// Another repository has nothing of all this.
		{do: "GET /v2/alice/else/manifests/v1", status: 404, code: "MANIFEST_UNKNOWN"},
		{do: "GET /v2/alice/else/manifests/" + d, status: 404, code: "MANIFEST_UNKNOWN"},
	})
}

// TestManifestTags sets several tags in one push.
func TestManifestTags(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	s.blob("alice/app", "config")
	doc, next := image("config"), image("config", "config")
	d := digestOf(doc)
	many := strings.Repeat("tag=x&", 100)
	const at = "/v2/alice/app/manifests/"
	s.table([]row{
		{do: "PUT " + at + d + "?tag=a&tag=b", body: doc, status: 201, gives: header{"OCI-Tag": "a, b", "Docker-Content-Digest": d}},
		{do: "GET " + at + "a", status: 200, text: doc},
		{do: "GET " + at + "b", status: 200, text: doc},
		{do: "PUT " + at + "main?tag=c", body: doc, status: 201, gives: header{"OCI-Tag": "c"}},
		{do: "GET /v2/alice/app/tags/list", status: 200, text: `{"name":"alice/app","tags":["a","b","c","main"]}`},

		// All or nothing.
		{do: "PUT " + at + "a?tag=b&tag=-bad", body: next, status: 400, code: "MANIFEST_INVALID"},
		{do: "PUT " + at + digestOf("x") + "?tag=a", body: next, status: 400, code: "DIGEST_INVALID"},
		{do: "PUT " + at + "a?tag=b", body: image("absent"), status: 404, code: "MANIFEST_BLOB_UNKNOWN"},
		{do: "PUT " + at + "a?" + many + "tag=y", body: next, status: 400, code: "MANIFEST_INVALID"},
		{do: "GET " + at + "a", status: 200, text: doc},
		{do: "GET " + at + "b", status: 200, text: doc},
		{do: "GET " + at + digestOf(next), status: 404, code: "MANIFEST_UNKNOWN"},
	})
}

// TestManifestInvalid lists what is refused, each with a sentence.
func TestManifestInvalid(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{sparse: []string{"alice/**"}})
	child := image("config", "layer")
	layers := `"layers":` + descriptors(layerType, []string{"layer"})
	manifests := `"manifests":` + descriptors(imageType, []string{child})
	typed := func(mediaType, rest string) string {
		return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,%s}`, mediaType, rest)
	}
	for _, test := range []struct{ name, contentType, doc, detail string }{
		{"nothing", imageType, "", "no object"},
		{"no JSON", imageType, "manifest", "no object"},
		{"half", imageType, child[:len(child)/2], "not JSON"},
		{"null", imageType, "null", "no object"},
		{"list", imageType, "[]", "no object"},
		{"two documents", imageType, child + child, "goes on"},
		{"twice", imageType, `{"layers":[],` + child[1:], "twice"},
		{"in another case", imageType, `{"Layers":[],` + child[1:], "another case"},
		{"in another alphabet", imageType, `{"layerſ":[],` + child[1:], "another case"},
		{"a digest twice", imageType, strings.Replace(child, `"digest":`, `"digest":"`+digestOf("absent")+`","digest":`, 1), "twice"},
		{"text/html", imageType, typed("text/html", layers), "application/"},
		{"image and index, CVE-2021-41190", imageType, typed(imageType, layers+","+manifests), "both an image and an index"},
		{"index and image, CVE-2021-41190", indexType, typed(indexType, layers+","+manifests), "both an image and an index"},
		{"config in an index", indexType, typed(indexType, `"config":`+descriptor(configType, "c")+","+manifests), "both"},
		{"index that says it is an image", imageType, typed(imageType, manifests), "no list of manifests"},
		{"image that says it is an index", indexType, typed(indexType, layers), "both an image"},
		{"neither", unknownManifest, `{"schemaVersion":2}`, "neither"},
		{"image without a config", imageType, typed(imageType, layers), "a config"},
		{"other Content-Type", dockerType, child, "differs from the Content-Type"},
		{"broken Content-Type", "application/", `{"layers":[]}`, "application/"},
		{"no media type at all", "application/json", `{"schemaVersion":2,` + layers + `}`, "no media type"},
		{"header in the media type", imageType, typed("a/b\r\nX: y", layers), "application/"},
		{"schema version", imageType, strings.Replace(child, `"schemaVersion":2`, `"schemaVersion":3`, 1), "schemaVersion"},
		{"schema 1", "application/vnd.docker.distribution.manifest.v1+prettyjws", `{"schemaVersion":1,"fsLayers":[]}`, "schema 1 is not supported"},
		{"schema 1 unsigned", "application/vnd.docker.distribution.manifest.v1+json", `{"schemaVersion":1,"fsLayers":[]}`, "schema 1 is not supported"},
		{"schema 1 in disguise", imageType, strings.Replace(child, "{", `{"fsLayers":[{"blobSum":"x"}],`, 1), "schema 1 is not supported"},
		{"short digest", imageType, strings.Replace(child, digestOf("layer"), "sha256:abc", 1), "no valid digest"},
		{"path for a digest", imageType, strings.Replace(child, digestOf("layer"), "sha256:../../../../etc/passwd", 1), "no valid digest"},
		{"negative size", imageType, strings.Replace(child, `"size":5`, `"size":-5`, 1), "negative size"},
		{"subject without a digest", imageType, strings.Replace(child, "{", `{"subject":{},`, 1), "no valid digest"},
	} {
		s.table([]row{
			{do: "PUT /v2/alice/app/manifests/bad", with: header{"Content-Type": test.contentType}, body: test.doc, status: 400, code: "MANIFEST_INVALID", has: test.detail},
			{do: "GET /v2/alice/app/manifests/bad", status: 404, code: "MANIFEST_UNKNOWN"},
		})
		if t.Failed() {
			t.Fatalf("above: %s", test.name)
		}
	}
	s.table([]row{
		{do: "PUT /v2/alice/app/manifests/.x", body: child, status: 400, code: "MANIFEST_INVALID"},
		{do: "PUT /v2/alice/app/manifests/" + strings.Repeat("x", 129), body: child, status: 400, code: "MANIFEST_INVALID"},
		{do: "PUT /v2/alice/app/manifests/" + strings.Repeat("x", 128), body: child, status: 201},
		{do: "PUT /v2/alice/app/manifests/charset", with: header{"Content-Type": imageType + "; charset=utf-8"}, body: child, status: 201},
		{do: "GET /v2/alice/app/manifests/charset", status: 200, gives: header{"Content-Type": imageType}},
		{do: "PUT /v2/alice/app/manifests/json", with: header{"Content-Type": "application/json"}, body: child, status: 201},
	})
}

// TestManifestSize holds the limit (CVE-2017-11468): a byte more is 413,
// whether or not the client says how long it is.
func TestManifestSize(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{maxManifest: 600, sparse: []string{"alice/**"}})
	doc := image("config", "layer")
	full := doc + strings.Repeat(" ", 600-len(doc))
	s.table([]row{
		{do: "PUT /v2/alice/app/manifests/a", body: full, status: 201},
		{do: "PUT /v2/alice/app/manifests/b", body: full + " ", status: 413, code: "MANIFEST_INVALID"},
		{do: "PUT /v2/alice/app/manifests/b", body: full + " ", stream: true, status: 413, code: "MANIFEST_INVALID"},
		{do: "PUT /v2/alice/app/manifests/b", body: strings.Repeat("{", 1<<20), stream: true, status: 413, code: "MANIFEST_INVALID"},
		{do: "GET /v2/alice/app/manifests/b", status: 404, code: "MANIFEST_UNKNOWN"},
		{do: "GET /v2/alice/app/manifests/a", status: 200, text: full},
	})
}

// TestManifestMissing refuses what references the absent, names each, and
// counts what only other repositories have as absent (end-7a).
func TestManifestMissing(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{sparse: []string{"alice/sparse/**"}})
	s.blob("alice/app", "config")
	s.blob("alice/else", "layer")
	s.blob("alice/else", "config")
	elsewhere := image("config", "layer")
	s.manifest("alice/else", "v1", elsewhere)
	all := digestOf("config") + ", " + digestOf("a") + ", " + digestOf("layer")
	foreign := strings.Replace(image("config", "far away"), layerType, foreignType, 1)
	s.table([]row{
		{do: "PUT /v2/alice/app/manifests/v1", body: image("config", "a", "layer", "a"), status: 404, code: "MANIFEST_BLOB_UNKNOWN", has: digestOf("a") + ", " + digestOf("layer")},
		{do: "PUT /v2/alice/new/manifests/v1", body: image("config", "a", "layer"), status: 404, code: "MANIFEST_BLOB_UNKNOWN", has: all},
		{do: "GET /v2/alice/new/tags/list", status: 404, code: "NAME_UNKNOWN"},
		{do: "PUT /v2/alice/app/manifests/v1", body: index(elsewhere), status: 404, code: "MANIFEST_BLOB_UNKNOWN", has: digestOf(elsewhere)},
		{do: "GET /v2/alice/app/manifests/v1", status: 404, code: "MANIFEST_UNKNOWN"},

		// Where it is configured both are accepted.
		{do: "PUT /v2/alice/sparse/app/manifests/v1", body: image("config", "a"), status: 201},
		{do: "PUT /v2/alice/sparse/app/manifests/v2", body: index(elsewhere), status: 201},
		{do: "GET /v2/alice/sparse/app/manifests/v2", status: 200, text: index(elsewhere)},
		{do: "PUT /v2/alice/sparse/manifests/v1", body: index(elsewhere), status: 404, code: "MANIFEST_BLOB_UNKNOWN"},

		// Non-distributable layers live at their URLs; a subject may come later.
		{do: "PUT /v2/alice/app/manifests/foreign", body: foreign, status: 201},
		{do: "PUT /v2/alice/else/manifests/" + digestOf(artifact(sbomType, "later", "")), body: artifact(sbomType, "later", ""), status: 404, code: "MANIFEST_BLOB_UNKNOWN", has: digestOf("{}")},
	})
	s.blob("alice/else", "{}")
	s.table([]row{{
		do: "PUT /v2/alice/else/manifests/" + digestOf(artifact(sbomType, "later", "")), body: artifact(sbomType, "later", ""), status: 201,
		gives: header{"OCI-Subject": digestOf("later")},
	}})
}

// TestManifestNotModified answers conditional requests without a body.
func TestManifestNotModified(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{sparse: []string{"alice/**"}})
	doc := image("config")
	d := s.manifest("alice/app", "v1", doc)
	tag := `"` + d + `"`
	for _, method := range []string{"GET", "HEAD"} {
		for value, status := range map[string]int{
			tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304,
			`"x"`: 200, d[7:]: 200, `"` + digestOf("x") + `"`: 200, ",": 200,
		} {
			gives := header{"Etag": tag, "Docker-Content-Digest": d}
			if status == 304 {
				gives["Content-Length"] = ""
			}
			s.table([]row{{do: method + " /v2/alice/app/manifests/v1", with: header{"If-None-Match": value}, status: status, gives: gives}})
		}
	}
}
