package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/berth-registry/berth/oci"
)

// header is a set of headers; of an answer "" means that it is not there.
type header map[string]string

// row is a request and what comes back. The rows of a table are one
// conversation. {session} stands for the path of the upload session that was
// last named in a Location, {uuid} for its id, {base} for the server's URL.
type row struct {
	do     string // method and URL
	as     string // whose password; "" = alice, "-" = nobody; with a space in it, the whole Authorization
	with   header
	body   string
	stream bool // no Content-Length

	status int
	code   string // of the OCI error
	gives  header
	text   string // the whole body, unless ""
	has    string // a part of the body
}

// table sends the rows, one after the other.
func (s *stack) table(rows []row) {
	s.Helper()
	for i, r := range rows {
		got := s.send(r)
		where := fmt.Sprintf("row %d: %s as %q", i+1, r.do, r.as)
		for _, problem := range s.differences(r, got) {
			s.Errorf("%s\n\t%s", where, problem)
		}
	}
}

// response is an answer that has been read to its end.
type response struct {
	*http.Response
	body string
}

func (s *stack) send(r row) response {
	s.Helper()
	req := s.request(r)
	resp, err := s.client.Do(req)
	if err != nil {
		s.Fatalf("%s: %v", r.do, err)
	}
	return s.read(resp)
}

func (s *stack) read(resp *http.Response) response {
	s.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	s.must(err)
	if at := resp.Header.Get("Location"); strings.Contains(at, "/blobs/uploads/") {
		s.session = at
	}
	return response{resp, string(body)}
}

func (s *stack) request(r row) *http.Request {
	s.Helper()
	method, path, _ := strings.Cut(s.expand(r.do), " ")
	var body io.Reader
	if r.body != "" {
		body = strings.NewReader(r.body)
	}
	if r.stream {
		body = io.MultiReader(body)
	}
	req, err := http.NewRequestWithContext(s.Context(), method, s.http.URL+path, body)
	s.must(err)
	for k, v := range r.with {
		req.Header.Set(k, s.expand(v))
	}
	switch {
	case strings.Contains(r.as, " "):
		req.Header.Set("Authorization", r.as)
	case r.as == "":
		req.SetBasicAuth("alice", password)
	case r.as != "-":
		req.SetBasicAuth(r.as, password)
	}
	return req
}

func (s *stack) expand(text string) string {
	return strings.NewReplacer(
		"{session}", s.session, "{uuid}", s.session[strings.LastIndexByte(s.session, '/')+1:], "{base}", s.http.URL,
	).Replace(text)
}

// differences lists what is not as the row says, and what no answer may be.
func (s *stack) differences(r row, got response) (problems []string) {
	s.Helper()
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if got.StatusCode != r.status {
		wrong("status %d, want %d; body %.300s", got.StatusCode, r.status, got.body)
		return problems
	}
	for k, v := range r.gives {
		if have, want := strings.Join(got.Header.Values(k), ", "), s.expand(v); have != want {
			wrong("%s: %q, want %q", k, have, want)
		}
	}
	if r.text != "" && got.body != r.text {
		wrong("body %.300q, want %.300q", got.body, r.text)
	}
	if !strings.Contains(got.body, r.has) {
		wrong("body %.300q has no %q", got.body, r.has)
	}
	if code := got.code(); code != r.code && got.Request.Method != http.MethodHead {
		wrong("code %q, want %q", code, r.code)
	}
	if err := got.wellFormed(); err != nil {
		wrong("%v", err)
	}
	return problems
}

// failures is the specification's body of an error.
type failures struct {
	Errors []struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Detail  any    `json:"detail"`
	} `json:"errors"`
}

// code returns the code of the error in the body, "" if there is none.
func (r response) code() string {
	var f failures
	if r.StatusCode < 400 || json.Unmarshal([]byte(r.body), &f) != nil || len(f.Errors) != 1 {
		return ""
	}
	return f.Errors[0].Code
}

// wellFormed checks what holds for every answer.
func (r response) wellFormed() error {
	n := len(r.Header["Www-Authenticate"])
	switch v2 := strings.HasPrefix(r.Request.URL.Path+"/", "/v2/"); {
	case r.StatusCode == http.StatusUnauthorized && n != 1:
		return fmt.Errorf("%d challenges with a 401", n)
	case r.StatusCode != http.StatusUnauthorized && n != 0:
		return fmt.Errorf("a challenge with a %d", r.StatusCode)
	case strings.Contains(r.Header.Get("Www-Authenticate"), `scope=""`):
		return fmt.Errorf("the challenge %s", r.Header.Get("Www-Authenticate"))
	case v2 && r.Header.Get("Docker-Distribution-Api-Version") != "registry/2.0" && r.Request.Method != "BREW":
		return fmt.Errorf("no Docker-Distribution-Api-Version")
	case v2 && r.StatusCode >= 400:
		return ociError(r.StatusCode, r.Header, r.body, r.Request.Method)
	}
	return nil
}

// specCodes is the table "Error Codes" of the distribution specification, by
// hand. 5xx answers have one of the two of Docker's registry instead.
var specCodes = map[string]bool{
	"BLOB_UNKNOWN": true, "BLOB_UPLOAD_INVALID": true, "BLOB_UPLOAD_UNKNOWN": true, "DIGEST_INVALID": true,
	"MANIFEST_BLOB_UNKNOWN": true, "MANIFEST_INVALID": true, "MANIFEST_UNKNOWN": true, "NAME_INVALID": true,
	"NAME_UNKNOWN": true, "SIZE_INVALID": true, "UNAUTHORIZED": true, "DENIED": true, "UNSUPPORTED": true,
	"TOOMANYREQUESTS": true,
}

var errNotOne = errors.New("want one error")

// ociError checks that an answer is an error as the specification has it.
func ociError(status int, h http.Header, body, method string) error {
	if got := h.Get("Content-Type"); got != "application/json" {
		return fmt.Errorf("status %d with Content-Type %q", status, got)
	}
	if method == http.MethodHead {
		return nil
	}
	var f failures
	d := json.NewDecoder(bytes.NewReader([]byte(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil || len(f.Errors) != 1 {
		return fmt.Errorf("status %d with the body %.300q: %w", status, body, errors.Join(err, errNotOne))
	}
	e := f.Errors[0]
	switch _, isText := e.Detail.(string); {
	case status < 500 && !specCodes[e.Code]:
		return fmt.Errorf("status %d with the code %s", status, e.Code)
	case status >= 500 && e.Code != "UNKNOWN" && e.Code != "UNAVAILABLE":
		return fmt.Errorf("status %d with the code %s", status, e.Code)
	case e.Message == "":
		return fmt.Errorf("status %d without a message", status)
	case e.Detail != nil && !isText:
		return fmt.Errorf("detail is %v: docker shows strings only", e.Detail)
	}
	return nil
}

// token gets a token from the token endpoint; "-" is anonymous.
func (s *stack) token(user string, scopes ...string) string {
	s.Helper()
	got := s.send(row{do: "GET /token?" + url.Values{"service": {service}, "scope": scopes}.Encode(), as: user})
	var answer struct{ Token string }
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil || answer.Token == "" {
		s.Fatalf("token for %s: %d %s", user, got.StatusCode, got.body)
	}
	return answer.Token
}

func bearer(token string) string { return "Bearer " + token }

// digestOf is the digest that a client computes.
func digestOf(content string) string { return string(oci.FromBytes(oci.SHA256, []byte(content))) }

func sha512Of(content string) string { return string(oci.FromBytes(oci.SHA512, []byte(content))) }

// blob pushes a blob to a repository of alice and returns its digest.
func (s *stack) blob(repo, content string) string {
	s.Helper()
	d := digestOf(content)
	s.table([]row{{do: "POST /v2/" + repo + "/blobs/uploads/?digest=" + d, as: owner(repo), body: content, status: 201}})
	return d
}

// manifest pushes an OCI manifest or index and returns its digest.
func (s *stack) manifest(repo, reference, doc string) string {
	s.Helper()
	s.table([]row{{do: "PUT /v2/" + repo + "/manifests/" + reference, as: owner(repo), body: doc, status: 201}})
	return digestOf(doc)
}

// owner is who may push to a repository: "alice/app" is alice's, what has no
// owner the administrator's.
func owner(repo string) string {
	switch name, _, _ := strings.Cut(repo, "/"); name {
	case "alice", "bob", "carol":
		return name
	}
	return "root"
}
