package differential

import (
	"bytes"
	"strings"

	"github.com/berth-registry/berth/oci"
)

// fixedManifests is manifests that are pushed and pulled.
func fixedManifests() []fixed {
	child := image(ociImage, config).document(ociImage)
	list := index(ociIndex, child).document(ociIndex)
	dockerChild := image(dockerImage, config).document(dockerImage)
	docker := index(dockerList, dockerChild).document(dockerList)
	mixed := index(dockerList, child).document(dockerList)
	subject := image(ociImage, config).set("subject", descriptor(ociImage, absent)).document(ociImage, withSubject)
	return []fixed{
		{"push and pull an image", seq(
			tagged(repo), everyPull(repo, "latest"), everyPull(repo, plain.digest()),
			putManifest(repo, plain.digest(), plain), putManifest(repo, "v1", plain), tags(repo, ""),
		)},
		{"Docker image", seq(stocked(repo), putManifest(repo, "latest", plainDocker), everyPull(repo, "latest"), everyPull(repo, plainDocker.digest()))},
		{"index", seq(
			stocked(repo), putManifest(repo, child.digest(), child), putManifest(repo, "latest", list),
			everyPull(repo, "latest"), everyPull(repo, list.digest()),
		)},
		{"Docker list", seq(
			stocked(repo), putManifest(repo, dockerChild.digest(), dockerChild), putManifest(repo, "latest", docker),
			everyPull(repo, "latest"), everyPull(repo, docker.digest()),
		)},
		{"Docker list over an OCI image", seq(
			stocked(repo), putManifest(repo, child.digest(), child), putManifest(repo, "latest", mixed), everyPull(repo, "latest"),
		)},
		{"a tag moves", seq(tagged(repo), putManifest(repo, "latest", child), getManifest(repo, "latest"), getManifest(repo, plain.digest()))},
		{"absent manifests", seq(
			getManifest(repo, "latest"), headManifest(repo, "latest"), getManifest(repo, plain.digest()),
			tagged(repo), getManifest(repo, "v2"), headManifest(repo, digestOf(absent)), getManifest(repo, digestOf(absent)),
			getManifest(repo, digestOf(small)), // a blob is no manifest
			getBlob(repo, plain.digest()),      // and a manifest no blob
			headBlob(repo, plain.digest()),
		)},
		{"conditional", seq(tagged(repo), conditions(repo, "latest"), conditions(repo, plain.digest()))},
		{"conditional on what is absent", seq(
			tagged(repo),
			getManifest(repo, digestOf(absent)).with("If-None-Match", quoted(digestOf(absent))).as(conditional),
		)},
		{"subject", seq(
			stocked(repo), putManifest(repo, "latest", subject), everyPull(repo, "latest"), referrers(repo, digestOf(absent), ""),
		)},
		{"tags by parameter", seq(
			stocked(repo), putManifest(repo, plain.digest(), plain).asking("tag=v1&tag=v1.0").as(withTags),
			getManifest(repo, "v1"), tags(repo, ""),
			putManifest(repo, plain.digest(), plain).asking("tag=-bad").as(badTagParam),
		)},
		{"sha512", seq(stocked(repo), putManifest(repo, sha512Of(plain.body), plain).as(sha512), getManifest(repo, sha512Of(plain.body)).as(sha512))},
	}
}

func quoted(s string) string { return `"` + s + `"` }

func sha512Of(b []byte) string { return string(oci.FromBytes(oci.SHA512, b)) }

// everyPull reads one manifest in the ways of different clients.
func everyPull(repo, ref string) []step {
	get, head := getManifest(repo, ref), headManifest(repo, ref)
	return seq(
		get, head,
		get.without("Accept").as(noAccept), head.without("Accept").as(noAccept),
		get.instead("Accept", "*/*").as(noAccept),
		get.instead("Accept", ociImage).as(narrowly), get.instead("Accept", ociIndex).as(narrowly),
		get.instead("Accept", dockerImage).as(narrowly), get.instead("Accept", dockerList).as(narrowly),
		get.instead("Accept", "application/vnd.docker.distribution.manifest.v1+json").as(narrowly),
		get.instead("Accept", ociImage+";q=0.5, "+ociIndex+"; q=0.1,"+dockerImage+","+dockerList),
	)
}

// conditions asks for plain unless the client has it.
func conditions(repo, ref string) []step {
	var list []step
	for _, s := range []step{getManifest(repo, ref), headManifest(repo, ref)} {
		when := func(value string, labels ...string) step { return s.with("If-None-Match", value).as(labels...) }
		list = append(list,
			when(quoted(plain.digest()), conditional),
			when(quoted(digestOf(absent)), conditional),
			when("W/"+quoted(plain.digest()), conditional, listed),
			when(quoted("x")+", "+quoted(plain.digest()), conditional, listed),
			when("*", conditional, listed),
			when(plain.digest(), conditional, unquoted),
		)
	}
	return list
}

// fixedRefused is manifests that at least one of the two refuses.
func fixedRefused() []fixed {
	cases := []fixed{
		{"missing blobs", seq(
			putManifest(repo, "latest", plain), push(repo, 1, config), putManifest(repo, "latest", plain),
			putManifest(repo, plain.digest(), plain), putManifest(repo, "latest", plainDocker), tags(repo, ""),
		)},
		{"missing children", seq(
			stocked(repo),
			putManifest(repo, "latest", index(ociIndex, plain, plainDocker).document(ociIndex)),
			putManifest(repo, "latest", index(dockerList, plain).document(dockerList)),
		)},
		{"blobs of another repository", seq(stocked(other), putManifest(repo, "latest", plain))},
		{"digest of other content", seq(stocked(repo), putManifest(repo, digestOf(absent), plain), getManifest(repo, plain.digest()))},
		{"too large", seq(stocked(repo), putManifest(repo, "latest", padded(4<<20+1)))},
		{"as large as can be", seq(stocked(repo), putManifest(repo, "latest", padded(4<<20)), headManifest(repo, "latest"))},
	}
	for _, d := range oddDocuments() {
		name := "odd: " + strings.Join(d.shape, ", ")
		cases = append(cases, fixed{name, seq(
			putManifest(fresh, "latest", d), putManifest(fresh, digestOf(absent), d), push(fresh, 1, config), putManifest(fresh, "latest", d),
			tags(fresh, ""), stocked(repo),
			putManifest(repo, d.digest(), d), putManifest(repo, "latest", d), getManifest(repo, "latest"), tags(repo, ""),
		)})
	}
	return cases
}

// padded is plain with n bytes.
func padded(n int) document {
	d := image(ociImage, config, small).document(ociImage)
	if n > 4<<20 {
		d.shape = []string{tooLarge}
	}
	d.body = append(d.body, bytes.Repeat([]byte(" "), n-len(d.body))...)
	return d
}

// oddDocuments are what no proper client pushes.
func oddDocuments() []document {
	foreign := descriptor("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", absent).set("urls", []string{"https://example.com/layer"})
	withURL := descriptor(ociLayer, small).set("urls", []string{"https://example.com/layer"})
	dockerForeign := descriptor("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", absent).set("urls", []string{"https://example.com/layer"})
	im := func() object { return image(ociImage, config, small) }
	do := func() object { return image(dockerImage, config, small) }
	twice := im().document(ociImage, twoKeys)
	twice.body = bytes.Replace(twice.body, []byte(`"schemaVersion"`), []byte(`"mediaType": "`+ociImage+`", "schemaVersion"`), 1)
	odd := []document{
		{ociImage, []byte(`{`), []string{badJSON}},
		{ociImage, []byte(`[]`), []string{badJSON}},
		{ociImage, []byte(`null`), []string{badJSON}},
		{ociImage, []byte(``), []string{badJSON}},
		{dockerImage, []byte(`{`), []string{badJSON}},
		{ociImage, append(im().document("").body, "{}"...), []string{trailing}},
		twice,
		im().set("mediaType", nil).document(ociImage, noMediaType),
		im().set("mediaType", nil).document("", noMediaType, noContentType),
		im().set("mediaType", nil).document("application/json", noMediaType, plainJSON),
		im().document("", noContentType),
		do().document("", noContentType),
		im().document("application/json", plainJSON),
		im().document(ociImage + "; charset=utf-8"),
		im().document("nonsense;;=", badType),
		im().document(dockerImage, wrongKind),
		do().document(ociImage, wrongKind),
		im().document(ociIndex, wrongKind),
		im().set("manifests", []object{}).document(ociImage, bothKinds),
		index(ociIndex).set("config", descriptor(ociConfig, config)).set("layers", []object{}).document(ociIndex, bothKinds),
		index(dockerList).set("layers", []object{}).document(dockerList, bothKinds),
		im().set("layers", nil).document(ociImage, noLayers),
		im().set("config", nil).document(ociImage, noLayers),
		do().set("layers", nil).document(dockerImage, noLayers),
		im().set("schemaVersion", 3).document(ociImage, badVersion),
		im().set("schemaVersion", nil).document(ociImage, badVersion),
		do().set("schemaVersion", 3).document(dockerImage, badVersion),
		im().set("layers", []object{descriptor(ociLayer, small).set("digest", "sha256:short")}).document(ociImage, badDescriptor),
		im().set("layers", []object{descriptor(ociLayer, small).set("digest", nil)}).document(ociImage, badDescriptor),
		im().set("layers", []object{descriptor(ociLayer, small).set("size", -1)}).document(ociImage, badSize),
		im().set("layers", []object{descriptor(ociLayer, small).set("size", 1)}).document(ociImage),
		im().set("layers", []object{foreign}).document(ociImage, foreignLayer),
		do().set("layers", []object{dockerForeign}).document(dockerImage, foreignLayer),
		im().set("layers", []object{withURL}).document(ociImage, urlLayer),
		im().set("config", descriptor("application/vnd.example.config", config)).set("artifactType", "application/vnd.example").document(ociImage),
		im().set("annotations", object{"a": "b"}).set("x-unknown", true).document(ociImage),
		im().set("mediaType", "application/vnd.example.manifest+json").document("application/vnd.example.manifest+json", unknownType),
		object{"mediaType": oci.MediaTypeArtifactManifest, "artifactType": "application/vnd.example", "blobs": []object{descriptor(octets, small)}}.
			document(oci.MediaTypeArtifactManifest, artifactType),
		object{"schemaVersion": 1, "name": repo, "tag": "latest", "fsLayers": []object{}, "history": []object{}}.
			document("application/vnd.docker.distribution.manifest.v1+json", schema1),
		index(ociIndex).document(ociIndex),
		index(dockerList).document(dockerList),
		index(ociIndex).set("manifests", nil).document(ociIndex, noManifests),
		index(ociIndex).set("manifests", null).document(ociIndex, nullList),
		index(dockerList).set("manifests", null).document(dockerList, nullList),
		im().set("layers", null).document(ociImage, nullList),
		do().set("layers", null).document(dockerImage, nullList),
		index(ociIndex).set("mediaType", nil).document(ociIndex, noMediaType),
		index(ociIndex, document{contentType: ociImage, body: small}).document(ociIndex, blobAsChild),
	}
	return odd
}

// fixedDeletes is what goes away and what stays.
func fixedDeletes() []fixed {
	child := image(ociImage, config).document(ociImage)
	list := index(ociIndex, child).document(ociIndex)
	return []fixed{
		{"delete a tag", seq(
			tagged(repo), putManifest(repo, "v1", plain), deleteManifest(repo, "latest"), getManifest(repo, "latest"),
			getManifest(repo, plain.digest()), tags(repo, ""), deleteManifest(repo, "latest"), deleteManifest(repo, "v1"), tags(repo, ""),
			getManifest(repo, plain.digest()),
		)},
		{"delete a manifest", seq(
			tagged(repo), putManifest(repo, "v1", plain), deleteManifest(repo, plain.digest()), getManifest(repo, "latest"),
			getManifest(repo, plain.digest()), tags(repo, ""), deleteManifest(repo, plain.digest()), repositories(""),
			putManifest(repo, "latest", plain), getManifest(repo, "latest"),
		)},
		{"delete what is absent", seq(
			deleteManifest(fresh, "latest"), deleteManifest(fresh, plain.digest()), deleteBlob(fresh, digestOf(small)),
			tagged(repo), deleteManifest(repo, "v9"), deleteManifest(repo, digestOf(absent)), deleteBlob(repo, digestOf(absent)),
			deleteManifest(repo, digestOf(small)),
		)},
		{"delete a blob", seq(
			stocked(repo), stocked(other), deleteBlob(repo, digestOf(small)), getBlob(repo, digestOf(small)), headBlob(repo, digestOf(small)),
			getBlob(other, digestOf(small)), deleteBlob(repo, digestOf(small)), push(repo, 1, small), getBlob(repo, digestOf(small)),
		)},
		{"delete a blob that a manifest needs", seq(
			tagged(repo), deleteBlob(repo, digestOf(small)), deleteBlob(repo, digestOf(config)), getBlob(repo, digestOf(small)),
			deleteManifest(repo, plain.digest()), deleteBlob(repo, digestOf(small)),
		)},
		{"delete a manifest that an index needs", seq(
			stocked(repo), putManifest(repo, "v1", child), putManifest(repo, "latest", list), deleteManifest(repo, child.digest()),
			getManifest(repo, "v1"), deleteManifest(repo, "v1"), deleteManifest(repo, list.digest()), deleteManifest(repo, child.digest()), tags(repo, ""),
		)},
	}
}
