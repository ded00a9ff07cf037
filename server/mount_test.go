package server_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestMount is end-11: a blob that the caller may pull elsewhere is linked
// without its bytes.
func TestMount(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	d, public := s.blob("alice/a", "shared"), s.blob("public/base", "public")
	mine := bearer(s.token("alice", "repository:alice/app:pull,push"))
	mounted := func(query, as, digest string) []row {
		return []row{
			{do: "POST " + at + "uploads/?" + query, as: as, status: 201, gives: header{"Location": at + digest, "Docker-Content-Digest": digest, "Range": ""}},
			{do: "HEAD " + at + digest, status: 200},
			{do: "DELETE " + at + digest, status: 202},
		}
	}
	s.table(mounted("mount="+d+"&from=alice/a", "", d))
	s.table(mounted("mount="+d+"&from=alice%2Fa", "", d))
	s.table(mounted("from=alice/a&mount=sha256%3A"+d[7:], "", d))
	s.table(mounted("mount="+public+"&from=public/base", "", public))
	s.table(mounted("mount="+d, "", d))                   // from wherever
	s.table(mounted("mount="+d+"&from=alice/a", mine, d)) // by the rights of the principal, not of the token
	s.table([]row{
		{do: "GET /v2/alice/a/blobs/" + d, status: 200, text: "shared"},
		{do: "POST " + at + "uploads/?mount=x&from=alice/a", status: 400, code: "DIGEST_INVALID"},
		{do: "POST " + at + "uploads/?mount=" + d + "&from=../alice/a", status: 400, code: "NAME_INVALID"},
		{do: "POST " + at + "uploads/?mount=" + d + "&from=Alice", status: 400, code: "NAME_INVALID"},

		// What is not there becomes an upload, which works.
		{do: "POST " + at + "uploads/?mount=" + digestOf(tenBytes) + "&from=alice/a", status: 202, gives: header{"Range": "0-0", "Docker-Upload-UUID": "{uuid}"}},
		{do: "PUT {session}?digest=" + digestOf(tenBytes), body: tenBytes, status: 201},
	})
}

// TestMountTellsNothing is CVE-2024-39897: a blob that is only where the
// caller may not pull is answered exactly as one that is nowhere.
func TestMountTellsNothing(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{grants: append([]string{"anonymous pull,push drop/**"}, defaultGrants...)})
	secret, nowhere := s.blob("bob/private", "secret"), digestOf("nowhere")
	s.blob("drop/box", "secret") // where carol may push but not pull
	for _, as := range []string{"", bearer(s.token("alice", "repository:alice/app:pull,push", "repository:bob/private:pull"))} {
		var seen []string
		for _, query := range []string{
			"mount=" + nowhere, "mount=" + nowhere + "&from=alice/a", "mount=" + nowhere + "&from=bob/private", "mount=" + nowhere + "&from=bob/none",
			"mount=" + secret, "mount=" + secret + "&from=alice/a", "mount=" + secret + "&from=bob/private", "mount=" + secret + "&from=drop/box",
		} {
			got := s.send(row{do: "POST " + at + "uploads/?" + query, as: as})
			seen = append(seen, fmt.Sprintf("%d %q %v", got.StatusCode, got.body, shape(got)))
			s.table([]row{{do: "DELETE {session}", status: 204}})
		}
		if all := slices.Compact(slices.Clone(seen)); len(all) != 1 || !strings.HasPrefix(all[0], "202 ") {
			t.Errorf("as %q the answers differ:\n%s", as, strings.Join(seen, "\n"))
		}
		s.table([]row{
			{do: "GET " + at + secret, status: 404, code: "BLOB_UNKNOWN"},
			{do: "HEAD " + at + secret, status: 404},
		})
	}
	s.table([]row{ // neither may who only pushes
		{do: "POST /v2/drop/else/blobs/uploads/?mount=" + secret + "&from=drop/box", as: "carol", status: 202},
		{do: "POST /v2/drop/else/blobs/uploads/?mount=" + secret, as: "carol", status: 202},
	})
}

// shape is the headers of an answer without what differs from one session to
// the next.
func shape(r response) []string {
	h := r.Header.Clone()
	for _, k := range []string{"Date", "Location", "Docker-Upload-Uuid"} {
		if h.Get(k) != "" {
			h.Set(k, "something")
		}
	}
	var lines []string
	for _, k := range slices.Sorted(maps.Keys(h)) {
		lines = append(lines, fmt.Sprint(k, h[k]))
	}
	return lines
}
