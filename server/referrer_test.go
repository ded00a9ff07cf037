package server_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/berth-registry/berth/oci"
)

// listing is the index by which referrers are answered.
type listing struct {
	SchemaVersion int
	MediaType     string
	Manifests     []oci.Descriptor
}

func (s *stack) listing(got response) listing {
	s.Helper()
	var l listing
	s.must(json.Unmarshal([]byte(got.body), &l))
	if l.SchemaVersion != 2 || l.MediaType != indexType || l.Manifests == nil || got.Header.Get("Content-Type") != indexType {
		s.Errorf("no index: %q %.200s", got.Header.Get("Content-Type"), got.body)
	}
	return l
}

// referrers follows a listing to its end and returns the digests.
func (s *stack) referrers(path string) (digests []string) {
	s.Helper()
	s.follow("", path, func(got response) {
		for _, d := range s.listing(got).Manifests {
			digests = append(digests, string(d.Digest))
		}
	})
	return digests
}

func TestReferrers(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{sparse: []string{"alice/**"}})
	subject := image("config")
	d := digestOf(subject)
	list := "/v2/alice/app/referrers/" + d
	empty := `{"schemaVersion":2,"mediaType":"` + indexType + `","manifests":[]}`
	none := func(path string) row {
		return row{do: "GET " + path, status: 200, gives: header{"Content-Type": indexType, "Link": ""}, text: empty}
	}
	s.table([]row{
		none("/v2/alice/nowhere/referrers/" + d),
		none(list),
		{do: "HEAD " + list, status: 200, gives: header{"Content-Type": indexType}},
		{do: "GET /v2/alice/app/referrers/latest", status: 400, code: "DIGEST_INVALID"},
		{do: "GET /v2/alice/app/referrers/sha256:abc", status: 400, code: "DIGEST_INVALID"},
	})
	sbom, signature := artifact(sbomType, subject, "sbom"), artifact(signatureType, subject, "signature")
	config := strings.Replace(artifact("", subject, "by config"), `"artifactType":"",`, "", 1) // its type is its config's
	idx := strings.Replace(index(), "{", fmt.Sprintf(`{"artifactType":%q,"subject":%s,`, sbomType, descriptor(imageType, subject)), 1)
	for _, doc := range []string{sbom, signature, config, idx} {
		s.table([]row{{do: "PUT /v2/alice/app/manifests/" + digestOf(doc), body: doc, status: 201, gives: header{"OCI-Subject": d}}})
	}
	// The subject may come after what refers to it, and go before.
	s.manifest("alice/app", "v1", subject)
	s.manifest("alice/else", "v1", subject)
	s.table([]row{none("/v2/alice/else/referrers/" + d), none("/v2/alice/app/referrers/" + sha512Of(subject))})

	entries := map[string]oci.Descriptor{}
	for _, e := range s.listing(s.send(row{do: "GET " + list})).Manifests {
		entries[string(e.Digest)] = e
	}
	for doc, want := range map[string][3]string{
		sbom: {imageType, sbomType, "sbom"}, signature: {imageType, signatureType, "signature"},
		config: {imageType, emptyType, "by config"}, idx: {indexType, sbomType, ""},
	} {
		e := entries[digestOf(doc)]
		if got := [3]string{e.MediaType, e.ArtifactType, e.Annotations["note"]}; got != want || e.Size != int64(len(doc)) {
			t.Errorf("entry %+v, want %v", e, want)
		}
	}
	if len(entries) != 4 {
		t.Errorf("%d entries", len(entries))
	}
	for kind, want := range map[string][]string{sbomType: {digestOf(sbom), digestOf(idx)}, signatureType: {digestOf(signature)}, "a/b": nil} {
		path := list + "?artifactType=" + url.QueryEscape(kind)
		slices.Sort(want)
		if got := s.referrers(path); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
		s.table([]row{{do: "GET " + path, status: 200, gives: header{"OCI-Filters-Applied": "artifactType"}}})
	}
	s.table([]row{
		{do: "GET " + list, status: 200, gives: header{"OCI-Filters-Applied": ""}},
		{do: "DELETE /v2/alice/app/manifests/" + d, status: 202},
		{do: "DELETE /v2/alice/app/manifests/" + digestOf(signature), status: 202},
		{do: "GET " + list + "?artifactType=" + url.QueryEscape(signatureType), status: 200, text: empty},
	})
	if got := s.referrers(list); len(got) != 3 {
		t.Errorf("after a deletion: %v", got)
	}
}

// TestReferrersPages follows pages by n, with and without a filter.
func TestReferrersPages(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{sparse: []string{"alice/**"}})
	var all, sboms []string
	for i := range 25 {
		doc := artifact([]string{sbomType, signatureType}[i%2], "subject", fmt.Sprint(i))
		all = append(all, s.manifest("alice/app", digestOf(doc), doc))
		if i%2 == 0 {
			sboms = append(sboms, digestOf(doc))
		}
	}
	slices.Sort(all)
	slices.Sort(sboms)
	list := "/v2/alice/app/referrers/" + digestOf("subject")
	for _, n := range []int{1, 2, 7, 24, 25, 1000} {
		if got := s.referrers(fmt.Sprintf("%s?n=%d", list, n)); !slices.Equal(got, all) {
			t.Errorf("n=%d: %d of %d", n, len(got), len(all))
		}
		if got := s.referrers(fmt.Sprintf("%s?n=%d&artifactType=%s", list, n, url.QueryEscape(sbomType))); !slices.Equal(got, sboms) {
			t.Errorf("n=%d, filtered: %d of %d", n, len(got), len(sboms))
		}
	}
	if got := s.referrers(list + "?last=" + all[9]); !slices.Equal(got, all[10:]) {
		t.Errorf("after the tenth: %d", len(got))
	}
	s.table([]row{
		{do: "GET " + list + "?n=0", status: 200, gives: header{"Link": ""}, has: `"manifests":[]`},
		{do: "GET " + list + "?last=x", status: 400, code: "DIGEST_INVALID"},
		{do: "GET " + list + "?n=x", status: 400, code: "UNSUPPORTED"},
	})
}

// TestReferrersLarge pages a listing that would be more than the 4 MiB that a
// client must be able to read of a manifest.
func TestReferrersLarge(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{sparse: []string{"alice/**"}})
	var want []string
	for i := range 3 {
		doc := artifact(sbomType, "subject", fmt.Sprint(i, strings.Repeat("x", 1_500_000)))
		want = append(want, s.manifest("alice/app", digestOf(doc), doc))
	}
	slices.Sort(want)
	var got []string
	pages := s.follow("", "/v2/alice/app/referrers/"+digestOf("subject"), func(page response) {
		if len(page.body) > 4<<20 {
			t.Errorf("a page of %d bytes", len(page.body))
		}
		for _, d := range s.listing(page).Manifests {
			got = append(got, string(d.Digest))
		}
	})
	if pages != 2 || !slices.Equal(got, want) {
		t.Errorf("%d entries in %d pages", len(got), pages)
	}
}

// TestReferrersFallback merges what clients recorded under the tag of the
// referrers tag schema, each once.
func TestReferrersFallback(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{sparse: []string{"alice/**"}})
	subject := image("config")
	both, tagged := artifact(sbomType, subject, "both"), image("tagged")
	s.manifest("alice/app", digestOf(both), both)
	s.manifest("alice/app", digestOf(tagged), tagged)
	d, long := digestOf(subject), sha512Of(subject)
	fallback := index(both, tagged, tagged)
	tag := "sha256-" + d[len("sha256:"):]
	s.manifest("alice/app", tag, fallback)
	s.manifest("alice/app", "sha512-"+long[len("sha512:"):][:64], index(tagged))
	want := []string{digestOf(both), digestOf(tagged)}
	slices.Sort(want)
	list := "/v2/alice/app/referrers/"
	for _, query := range []string{"", "?n=1"} {
		if got := s.referrers(list + d + query); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", query, got, want)
		}
	}
	if got := s.referrers(list + d + "?artifactType=" + url.QueryEscape(sbomType)); !slices.Equal(got, []string{digestOf(both)}) {
		t.Errorf("filtered: %v", got)
	}
	if got := s.referrers(list + long); !slices.Equal(got, []string{digestOf(tagged)}) {
		t.Errorf("sha512: %v", got)
	}
	// What is no index is none of a client's records.
	s.table([]row{{do: "PUT /v2/alice/app/manifests/" + tag, body: image("config"), status: 201}})
	if got := s.referrers(list + d); !slices.Equal(got, []string{digestOf(both)}) {
		t.Errorf("an image under the tag: %v", got)
	}
}
