package differential

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/berth-registry/berth/oci"
)

func listDeviations() []deviation {
	lists := []op{tagList, catalog}
	return []deviation{
		{
			id: "untagged-repository", ops: []op{tagList}, forms: []difference{outcome("404 NAME_UNKNOWN", "200")},
			when:    func(x exchange) bool { return len(tagsOf(x.berth)) == 0 },
			request: "tags of a repository that has blobs or manifests but never had a tag", distribution: "404 NAME_UNKNOWN", berth: "200 with an empty list",
			why: reason{source: distributionSpec, section: "Listing Tags", quote: "The list of tags MAY be empty if there are no tags on the repository."},
		},
		{
			id: "no-tags-of-nothing", ops: []op{tagList}, forms: []difference{outcome("200", "404 NAME_UNKNOWN")},
			when:    func(x exchange) bool { return strings.HasPrefix(x.query, "n=0") || strings.Contains(x.query, "last=") },
			request: "`tags/list` of a repository that does not exist, with `n=0` or `last`", distribution: "200 with an empty list", berth: "404 NAME_UNKNOWN",
			why: reason{source: distributionSpec, section: "Pushing Manifests", quote: "An attempt to pull a nonexistent repository MUST return response code `404 Not Found`."},
		},
		{
			id: "last-page", ops: []op{tagList}, forms: []difference{{"Link", "*", ""}}, when: fullPage,
			request: "a page of tags that ends with the last tag", distribution: "Link to an empty page", berth: "no Link",
			why: reason{source: distributionSpec, section: "Listing Tags", quote: "A `Link` header MAY be included in the response when additional tags are available."},
		},
		{
			id: "page-size-code", ops: lists, label: badQuery, forms: []difference{code("PAGINATION_NUMBER_INVALID", "UNSUPPORTED")},
			request: "`n` that is no number", distribution: "400 PAGINATION_NUMBER_INVALID", berth: "400 UNSUPPORTED",
			why: reason{source: distributionSpec, section: "Error Codes", quote: "The `code` field MUST be one of the following:",
				design: "PAGINATION_NUMBER_INVALID is none of them."},
		},
		{
			id: "empty-page-size", ops: lists, label: badQuery, forms: []difference{outcome("200", "400 UNSUPPORTED")},
			when:    func(x exchange) bool { return x.query == "n=" },
			request: "`n=` without a number", distribution: "as without n", berth: "400 UNSUPPORTED",
			why: reason{source: distributionSpec, section: "Listing Tags",
				quote: "`<name>` is the namespace of the repository, and `<int>` is an integer specifying the number of tags requested."},
		},
		{
			id: "large-page", ops: []op{catalog}, label: badQuery, forms: []difference{outcome("400 PAGINATION_NUMBER_INVALID", "200")},
			request: "`_catalog?n=` above the largest page", distribution: "400 PAGINATION_NUMBER_INVALID", berth: "200 with the largest page",
			why: reason{design: "Clamped as for tags: a client that wants many gets what there is and a Link (CVE-2023-2253 is about allocating by n)."},
		},
		{
			id: "malformed-query", ops: lists, label: badQuery, forms: []difference{outcome("200", "400 UNSUPPORTED")},
			when:    badLast,
			request: "a query that cannot be decoded, or a `last` of `_catalog` that is neither a repository name nor from a Link", distribution: "ignored", berth: "400 UNSUPPORTED",
			why: reason{design: "berth's Links seal names that the caller may not see, with a `~` before them. Ignoring what cannot be read would begin the listing again, for ever."},
		},
		{
			id: "catalog-of-blobs", ops: []op{catalog}, forms: []difference{{"body", "*", "*"}}, when: moreAtBerth,
			request: "the catalog, with a repository that has blobs but no manifest yet", distribution: "left out", berth: "listed",
			why: reason{design: "A repository exists once something was pushed to it. _catalog is not in the specification."},
		},
		{
			id: "catalog-order", ops: []op{catalog}, forms: []difference{{"body", "*", "*"}, {"Link", "*", "*"}}, when: slashOrder,
			request: "the catalog, with names like `a/b` and `a-b`", distribution: "a, a/b, a-b: by component", berth: "a, a-b, a/b: by byte",
			why: reason{source: distributionSpec, section: "Listing Tags",
				quote:  "If the list is not empty, the tags MUST be in lexical (i.e. case-insensitive alphanumeric order) or \"ASCIIbetical\" (Go's `sort.Strings`) order.",
				design: "The order of tags, for want of a word about repositories."},
		},
		{
			id: "referrers", ops: []op{referrerList}, forms: []difference{outcome("404", "200")},
			request: "referrers", distribution: "404: no referrers API", berth: "200 with an index",
			why: reason{source: distributionSpec, section: "Listing Referrers",
				quote: "If the registry supports the referrers API, the registry MUST NOT return a `404 Not Found` to a referrers API requests."},
		},
		{
			id: "referrers-digest", ops: []op{referrerList}, label: badDigest, forms: []difference{outcome("404", "400 DIGEST_INVALID")},
			request: "referrers of a malformed digest", distribution: "404", berth: "400 DIGEST_INVALID",
			why: reason{source: distributionSpec, section: "Listing Referrers",
				quote: "If the request is invalid, such as a `<digest>` with an invalid syntax, a `400 Bad Request` MUST be returned."},
		},
		{
			id: "referrers-methods", ops: []op{route}, label: wrongMethod, forms: []difference{outcome("404", "405 UNSUPPORTED")},
			request: "referrers by another method", distribution: "404", berth: "405 UNSUPPORTED with Allow",
			why: reason{source: distributionSpec, section: "Listing Referrers",
				quote: "If the registry supports the referrers API, the registry MUST NOT return a `404 Not Found` to a referrers API requests."},
		},
	}
}

func tagsOf(a answer) []string {
	var doc struct {
		Tags []string `json:"tags"`
	}
	_ = json.Unmarshal([]byte(a.body), &doc)
	return doc.Tags
}

func repositoriesOf(a answer) []string {
	var doc struct {
		Repositories []string `json:"repositories"`
	}
	_ = json.Unmarshal([]byte(a.body), &doc)
	return doc.Repositories
}

// badLast holds for a query in which nobody could find where to go on.
func badLast(x exchange) bool {
	values, err := url.ParseQuery(x.query)
	if err != nil || x.op == tagList {
		return err != nil
	}
	_, err = oci.ParseRepository(values.Get("last"))
	return values.Has("last") && err != nil
}

// fullPage holds if the page has exactly as many tags as were asked for.
func fullPage(x exchange) bool {
	values, err := url.ParseQuery(x.query)
	return err == nil && strconv.Itoa(len(tagsOf(x.berth))) == values.Get("n")
}

// moreAtBerth holds if berth lists all that distribution does, in the same
// order, and more.
func moreAtBerth(x exchange) bool {
	listed := repositoriesOf(x.dist)
	rest := slices.DeleteFunc(repositoriesOf(x.berth), func(name string) bool { return !slices.Contains(listed, name) })
	return len(listed) < len(repositoriesOf(x.berth)) && slices.Equal(rest, listed) && x.query == ""
}

// slashOrder holds if the two differ in names of which one goes on with a
// slash where the other goes on with what sorts before it.
func slashOrder(x exchange) bool {
	all := slices.Concat(repositoriesOf(x.dist), repositoriesOf(x.berth))
	return slices.Contains(all, "a-b") || slices.Contains(all, "a/b")
}
