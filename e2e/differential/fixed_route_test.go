package differential

import "strings"

// fixedRoutes is what can be wrong with a path or method before anybody looks
// at what it names.
func fixedRoutes() []fixed {
	return []fixed{
		{"base", seq(ping(), raw(base, "HEAD", "/v2/"))},
		{"base without slash", seq(raw(route, "GET", "/v2").as(uncleanPath))},
		{"base, other methods", otherMethods("/v2/", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")},
		{"no endpoint", seq(
			raw(route, "GET", "/v2/"+repo+"/nonsense").as(noEndpoint),
			raw(route, "GET", "/v2/"+repo).as(noEndpoint),
			raw(route, "GET", "/v2/"+repo+"/blobs").as(noEndpoint),
			raw(route, "GET", "/v2/"+repo+"/tags").as(noEndpoint),
			raw(route, "PUT", "/v2/"+repo+"/tags/latest").as(noEndpoint),
			raw(route, "GET", "/v3/").as(noEndpoint),
		)},
		{"trailing slash", seq(
			tagged(repo),
			raw(route, "GET", "/v2/"+repo+"/tags/list/").as(uncleanPath),
			raw(route, "GET", "/v2/"+repo+"/manifests/latest/").as(uncleanPath),
			raw(route, "GET", "/v2/_catalog/").as(uncleanPath),
			raw(route, "POST", "/v2/"+repo+"/blobs/uploads").as(uncleanPath),
		)},
		{"unclean paths", seq(
			tagged(repo),
			raw(route, "GET", "/v2/library//app/tags/list").as(uncleanPath),
			raw(route, "GET", "/v2/library/../library/app/tags/list").as(uncleanPath),
			raw(route, "GET", "/v2/library/./app/tags/list").as(uncleanPath),
			raw(route, "GET", "//v2/").as(uncleanPath),
		)},
		{"escaped slash in a name", seq(
			tagged(repo),
			raw(tagList, "GET", "/v2/library%2Fapp/tags/list").as(escapedSlash),
			raw(manifestGet, "GET", "/v2/library%2fapp/manifests/latest").with("Accept", acceptAll).as(escapedSlash),
		)},
		{"escaped colon in a digest", seq(
			tagged(repo),
			getManifest(repo, strings.Replace(plain.digest(), ":", "%3A", 1)),
			getBlob(repo, strings.Replace(digestOf(small), ":", "%3a", 1)),
		)},
		{"malformed names", badNames("Upper/case", "under_score_/x", "a/_x", "-a", "a..b", "a___b", "ünï")},
		{"long names", longNames()},
		{"malformed tags", badTags("-dash", ".dot", "sp%20ace", "umläut", strings.Repeat("t", 129), "a%2Fb", "plus+")},
		{"malformed digests", badDigests()},
		{"methods", methods()},
		{"probe of pull limits", seq(raw(manifestHead, "HEAD", "/v2/ratelimitpreview/test/manifests/latest").as(limitProbe))},
	}
}

func otherMethods(path string, methods ...string) []step {
	var list []step
	for _, m := range methods {
		s := raw(route, m, path).as(wrongMethod)
		if m == "OPTIONS" {
			s = s.as(optionsOf)
		}
		list = append(list, s)
	}
	return list
}

// methods asks every endpoint for what it has not.
func methods() []step {
	at := "/v2/" + repo
	return seq(
		tagged(repo),
		otherMethods(at+"/manifests/latest", "POST", "PATCH", "OPTIONS"),
		otherMethods(at+"/blobs/"+digestOf(small), "POST", "PUT", "PATCH", "OPTIONS"),
		otherMethods(at+"/blobs/uploads/", "GET", "PUT", "PATCH", "DELETE", "OPTIONS"),
		otherMethods(at+"/blobs/uploads/"+unknownSession, "POST", "OPTIONS"),
		otherMethods(at+"/tags/list", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
		otherMethods("/v2/_catalog", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
		otherMethods(at+"/referrers/"+plain.digest(), "PUT", "OPTIONS"),
		raw(tagList, "HEAD", at+"/tags/list").as(headListing),
		raw(catalog, "HEAD", "/v2/_catalog").as(headListing),
		raw(referrerList, "HEAD", at+"/referrers/"+plain.digest()),
		start(repo, 1),
		step{op: route, method: "HEAD", repo: repo, session: 1}.as(headListing),
	)
}

// mistaken is the session of a request that should open none.
const mistaken = 999

func badNames(names ...string) []step {
	var list []step
	for _, name := range names {
		list = append(list,
			tags(name, "").as(badName),
			getManifest(name, "latest").as(badName),
			headManifest(name, "latest").as(badName),
			start(name, mistaken).as(badName),
			getBlob(name, digestOf(small)).as(badName),
			putManifest(name, "latest", plain).as(badName),
		)
	}
	return list
}

func longNames() []step {
	long, longest := strings.Repeat("a", 256), strings.Repeat("a/", 127)+"a"
	return seq(
		tags(long, "").as(longName),
		getManifest(long, "latest").as(longName),
		headManifest(long, "latest").as(longName),
		start(long, mistaken).as(longName),
		tags(longest, ""), // 255 bytes: allowed, absent
	)
}

func badTags(names ...string) []step {
	var list []step
	for _, name := range names {
		list = append(list,
			getManifest(repo, name).as(badTag),
			headManifest(repo, name).as(badTag),
			putManifest(repo, name, plain).as(badTag),
			deleteManifest(repo, name).as(badTag),
		)
	}
	return list
}

func badDigests() []step {
	hex := digestOf(small)[len("sha256:"):]
	var list []step
	for _, d := range []string{"sha256:abc", "sha256:" + strings.ToUpper(hex), "sha256:" + hex[:40], "md5:" + hex[:32], "sha256:", ":" + hex} {
		list = append(list,
			getManifest(repo, d).as(badDigest),
			putManifest(repo, d, plain).as(badDigest),
			deleteManifest(repo, d).as(badDigest),
			getBlob(repo, d).as(badDigest),
			headBlob(repo, d).as(badDigest),
			deleteBlob(repo, d).as(badDigest),
			referrers(repo, d, "").as(badDigest),
		)
	}
	sha384 := "sha384:" + strings.Repeat("0", 96)
	return append(list,
		getBlob(repo, "nonsense").as(badDigest),
		getBlob(repo, sha384).as(otherDigest),
		getManifest(repo, sha384).as(otherDigest),
		putManifest(repo, sha384, plain).as(otherDigest),
		deleteBlob(repo, sha384).as(otherDigest),
	)
}
