package differential

// fixedLists is what is asked of many things at once.
func fixedLists() []fixed {
	child := image(ociImage, config).document(ociImage)
	return []fixed{
		{"tags", seq(tags(fresh, ""), manyTags(repo), tagPages(repo))},
		{"tags of a repository without any", seq(
			start(fresh, 1), tags(fresh, ""), repositories(""), finish(fresh, 1, digestOf(config), config), tags(fresh, ""), repositories(""),
			putManifest(fresh, child.digest(), child), tags(fresh, ""), repositories(""),
			putManifest(fresh, "latest", child), deleteManifest(fresh, "latest"), tags(fresh, ""),
		)},
		{"malformed pages of tags", seq(manyTags(repo), badPages(tags(repo, "")))},
		{"no page of an absent repository", seq(tags(fresh, "n=0"), tags(fresh, "last=v1"), tags(fresh, "n=1&last=v1"), tags(fresh, "n=1"))},
		{"catalog", seq(repositories(""), tagged(repo), tagged(other), tagged(third), pages())},
		{"malformed pages of the catalog", seq(tagged(repo), tagged(third), badPages(repositories("")))},
		{"catalog in which one name goes on where another ends", seq(
			tagged("a"), tagged("a/b"), tagged("a-b"), repositories(""), repositories("n=1"), repositories("n=1&last=a"), repositories("n=2&last=a-b"),
			repositories("n=2&last=a/b"),
		)},
		{"referrers", seq(
			referrers(fresh, digestOf(absent), ""), stocked(repo),
			putManifest(repo, "v1", image(ociImage, config).set("subject", descriptor(ociImage, absent)).document(ociImage, withSubject)),
			referrers(repo, digestOf(absent), ""), referrers(repo, digestOf(absent), "artifactType=application/vnd.example"),
			referrers(repo, digestOf(small), ""),
		)},
	}
}

func manyTags(repo string) []step {
	list := stocked(repo)
	for _, tag := range someTags {
		list = append(list, putManifest(repo, tag, plain))
	}
	return list
}

func tagPages(repo string) []step {
	var list []step
	for _, q := range []string{
		"", "n=0", "n=1", "n=2", "n=4", "n=5", "n=6", "n=1000000", "last=latest", "n=2&last=A", "n=2&last=_x", "n=9&last=zzz", "n=1&last=absent",
		"last=v1", "n=1&last=v1", "n=2&last=", "x=y", "n=5&last=0",
	} {
		list = append(list, tags(repo, q))
	}
	return list
}

func pages() []step {
	var list []step
	for _, q := range []string{
		"", "n=0", "n=1", "n=2", "n=3", "n=4", "n=1000", "last=" + repo, "n=1&last=" + repo, "n=1&last=aaa", "n=2&last=zzz", "x=y",
	} {
		list = append(list, repositories(q))
	}
	return list
}

// badPages asks for impossible pages.
func badPages(s step) []step {
	var list []step
	for _, q := range []string{"n=-1", "n=abc", "n=1.5", "n=99999999999999999999", "n=", "n=+1", "n=1001", "last=-bad%2F", "last=%zz", "last=~x"} {
		list = append(list, s.asking(q).as(badQuery))
	}
	return list
}
