package differential

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// answer is a response without what the specification leaves open: scheme and
// host of Location and Link, the name of an upload session and the query of
// its URL, the order and spaces of JSON that is made for the answer, the
// boundary of a multipart body, and the words of an error for people.
type answer struct {
	status int
	codes  string // the different codes of an errors document, "A+B"; empty if the body is none
	header map[string]string
	body   string
}

// compared lists the headers that are held against each other. Dates, and
// what net/http adds by itself, are not.
var compared = []string{
	"Accept-Ranges", "Allow", "Cache-Control", "Content-Length", "Content-Range", "Content-Type",
	"Docker-Content-Digest", "Docker-Distribution-Api-Version", "Docker-Upload-Uuid", "Etag", "Link", "Location",
	"Oci-Chunk-Min-Length", "Oci-Filters-Applied", "Oci-Namespace", "Oci-Subject", "Oci-Tag", "Range", "Retry-After",
	"Warning", "Www-Authenticate",
}

// send sends a step to one registry and notes what its answer says of
// sessions.
func (at *side) send(s step) (answer, error) {
	r, err := s.request(at)
	if err != nil {
		return answer{}, err
	}
	resp, err := at.http.Client().Do(r)
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", at.name, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return answer{}, fmt.Errorf("%s: %s %s: %w", at.name, s.method, s.path, err)
	}
	at.remember(s, resp)
	a := normalise(resp, body)
	if err != nil {
		a.body += cutOff
	}
	return a, nil
}

// cutOff ends a body that is shorter than the answer promised.
const cutOff = "<cut off>"

func (at *side) remember(s step, resp *http.Response) {
	location := resp.Header.Get("Location")
	if !strings.Contains(location, "/blobs/uploads/") {
		return
	}
	switch {
	case s.opens != 0 && resp.StatusCode == http.StatusAccepted:
		at.sessions[s.opens] = session{first: location, latest: location}
	case s.session != 0:
		at.sessions[s.session] = session{first: at.sessions[s.session].first, latest: location}
	}
}

func normalise(resp *http.Response, body []byte) answer {
	a := answer{status: resp.StatusCode, header: map[string]string{}}
	for _, name := range compared {
		if values := resp.Header.Values(name); len(values) > 0 {
			a.header[name] = strings.Join(values, ", ")
		}
	}
	a.rewrite("Location", normalLocation)
	a.rewrite("Link", normalLink)
	a.rewrite("Docker-Upload-Uuid", func(string) string { return "<session>" })
	a.rewrite("Allow", normalAllow)
	switch {
	case a.status >= 400:
		a.codes = errorCodes(body)
		delete(a.header, "Content-Length")
	case a.header["Content-Type"] == "application/json":
		a.body = canonical(body)
		delete(a.header, "Content-Length")
	default:
		a.body = a.content(body)
	}
	return a
}

func (a *answer) rewrite(name string, to func(string) string) {
	if v, ok := a.header[name]; ok {
		a.header[name] = to(v)
	}
}

// outcome is status and codes, "404 MANIFEST_UNKNOWN".
func (a answer) outcome() string {
	return strings.TrimSpace(fmt.Sprint(a.status, " ", a.codes))
}

func normalLocation(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return s
	}
	if dir := path.Dir(u.Path); strings.HasSuffix(dir, "/blobs/uploads") {
		return dir + "/<session>"
	}
	u.Scheme, u.Host = "", ""
	return u.String()
}

func normalLink(s string) string {
	target, rest, found := strings.Cut(strings.TrimPrefix(s, "<"), ">")
	u, err := url.Parse(target)
	if !found || err != nil {
		return s
	}
	return "<" + u.Path + "?" + u.Query().Encode() + ">" + rest
}

func normalAllow(s string) string {
	methods := strings.Split(s, ",")
	for i := range methods {
		methods[i] = strings.TrimSpace(methods[i])
	}
	slices.Sort(methods)
	return strings.Join(methods, ", ")
}

// errorCodes reads the first document of the body; distribution writes two
// for some errors.
func errorCodes(body []byte) string {
	var doc struct {
		Errors []struct {
			Code string `json:"code"`
		} `json:"errors"`
	}
	if json.NewDecoder(bytes.NewReader(body)).Decode(&doc) != nil {
		return ""
	}
	var codes []string
	for _, e := range doc.Errors {
		codes = append(codes, e.Code)
	}
	slices.Sort(codes)
	return strings.Join(slices.Compact(codes), "+")
}

func canonical(body []byte) string {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return string(body)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return string(body)
	}
	return string(b)
}

// content takes a multipart body apart, whose boundary is random.
func (a *answer) content(body []byte) string {
	kind, params, err := mime.ParseMediaType(a.header["Content-Type"])
	if err != nil || kind != "multipart/byteranges" {
		return string(body)
	}
	a.header["Content-Type"] = kind
	var b strings.Builder
	parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			return b.String()
		}
		content, _ := io.ReadAll(part)
		fmt.Fprintf(&b, "%s %s: %s\n", part.Header.Get("Content-Type"), part.Header.Get("Content-Range"), content)
	}
}
