package server_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// TestSessionOwner is CVE-2026-32589: a session belongs to the repository and
// the principal that opened it. Nobody else sees whether it is there, not even
// who may push to the same repository.
func TestSessionOwner(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{grants: []string{"user:alice * team/**", "user:bob * team/**", "anonymous * team/**"}})
	d := digestOf(tenBytes)
	s.table([]row{
		{do: "POST /v2/team/app/blobs/uploads/", status: 202},
		{do: "PATCH {session}", body: "0123", status: 202},
	})
	id := s.session[strings.LastIndexByte(s.session, '/'):]
	anonymous := bearer(s.token("-", "repository:team/app:pull,push"))
	for range 2 {
		for _, as := range []string{"bob", "root", anonymous} {
			s.table(notThere("/v2/team/app/blobs/uploads"+id, as))
		}
		s.table(notThere("/v2/team/other/blobs/uploads"+id, ""))
		s.table(notThere("/v2/team/app/x/blobs/uploads"+id, ""))
		s.table([]row{{do: "GET {session}", status: 204, gives: header{"Range": "0-3"}}})
		s.restart()
		anonymous = bearer(s.token("-", "repository:team/app:pull,push"))
	}
	s.table([]row{
		{do: "PUT {session}?digest=" + d, body: "456789", status: 201},
		{do: "GET /v2/team/app/blobs/" + d, as: "bob", status: 200, text: tenBytes},
	})
}

// notThere asks a session for everything that it can do.
func notThere(session, as string) []row {
	var rows []row
	for _, r := range []row{
		{do: "GET " + session},
		{do: "PATCH " + session, body: "456789"},
		{do: "PATCH " + session, with: header{"Content-Range": "0-3"}, body: "xxxx"},
		{do: "PUT " + session + "?digest=" + digestOf("0123")},
		{do: "DELETE " + session},
	} {
		r.as, r.status, r.code, r.gives = as, 404, "BLOB_UPLOAD_UNKNOWN", header{"Range": "", "Location": "", "Docker-Upload-UUID": ""}
		rows = append(rows, r)
	}
	return rows
}

// writer is a request whose body the test writes. When Write has returned,
// the handler has the bytes.
type writer struct {
	*io.PipeWriter
	answer chan *httptest.ResponseRecorder
}

func (s *stack) write(r row) *writer {
	body, in := io.Pipe()
	w := &writer{in, make(chan *httptest.ResponseRecorder, 1)}
	req := s.request(r)
	req.Body, req.ContentLength, req.RequestURI = body, -1, req.URL.RequestURI()
	go func() {
		rec := httptest.NewRecorder()
		s.handler.ServeHTTP(rec, req)
		w.answer <- rec
	}()
	return w
}

func (s *stack) say(w *writer, text string) {
	s.Helper()
	_, err := io.WriteString(w, text)
	s.must(err)
}

// TestSessionTwoWriters lets one request write at a time.
func TestSessionTwoWriters(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	d := digestOf(tenBytes)
	for _, first := range []struct {
		do     string
		status int
	}{{"PATCH {session}", 202}, {"PUT {session}?digest=" + d, 201}} {
		s.table([]row{{do: "POST " + at + "uploads/", status: 202}})
		one := s.write(row{do: first.do})
		s.say(one, "01234")
		second := func(do, body string) row {
			return row{do: do, body: body, status: 409, code: "BLOB_UPLOAD_INVALID", gives: header{"Location": "", "Range": ""}, has: "another request"}
		}
		s.table([]row{
			second("PATCH {session}", "xxxxx"),
			second("PATCH {session}", ""),
			second("PUT {session}?digest="+d, tenBytes),
			second("DELETE {session}", ""),
			{do: "GET {session}", status: 204, gives: header{"Range": "0-0"}}, // what is acknowledged
		})
		s.say(one, "56789")
		s.must(one.Close())
		if got := <-one.answer; got.Code != first.status {
			t.Fatalf("%s: %d %s", first.do, got.Code, got.Body)
		}
		if first.status == 202 {
			s.table([]row{{do: "PUT {session}?digest=" + d, status: 201}})
		}
		s.table([]row{{do: "GET " + at + d, status: 200, text: tenBytes}, {do: "DELETE " + at + d, status: 202}})
	}
}

// TestSessionRace has many write the same chunk at once: one of them is taken,
// whole.
func TestSessionRace(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{})
	for range 10 {
		s.table([]row{{do: "POST " + at + "uploads/", status: 202}})
		answers := make([]response, 8)
		var all sync.WaitGroup
		for i := range answers {
			req := s.request(row{do: "PATCH {session}", with: header{"Content-Range": "0-99999"}, body: strings.Repeat(string('a'+rune(i)), 100_000)})
			all.Go(func() {
				resp, err := s.client.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
				answers[i].Response = resp
			})
		}
		all.Wait()
		winner := ""
		for i, got := range answers {
			switch {
			case got.Response == nil:
			case got.StatusCode == 202 && winner == "":
				winner = strings.Repeat(string('a'+rune(i)), 100_000)
			case got.StatusCode != 409 && got.StatusCode != 416:
				t.Errorf("writer %d: %s", i, got.Status)
			}
		}
		s.table([]row{
			{do: "PUT {session}?digest=" + digestOf(winner), status: 201},
			{do: "GET " + at + digestOf(winner), status: 200, text: winner},
		})
	}
}

// TestSessionBrokenOff cuts the connection in the middle of a body, which a
// client can do in several ways: what arrived stays, and the session says it.
func TestSessionBrokenOff(t *testing.T) {
	t.Parallel()
	served := make(chan struct{})
	s := newStack(t, settings{wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			if r.Header.Get("X-Raw") != "" {
				served <- struct{}{}
			}
		})
	}})
	d := digestOf(tenBytes)
	for name, body := range map[string]string{
		"Content-Length":                   "Content-Length: 10\r\n\r\n01234",
		"Content-Length and Content-Range": "Content-Length: 10\r\nContent-Range: 0-9\r\n\r\n01234",
		"chunked":                          "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n",
		"chunked, within a chunk":          "Transfer-Encoding: chunked\r\n\r\na\r\n01234",
		"chunked, nonsense":                "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\nnonsense\r\n",
	} {
		for _, do := range []string{"PATCH {session}", "PUT {session}?digest=" + d} {
			s.table([]row{{do: "POST " + at + "uploads/", status: 202}})
			s.cutOff(do, body)
			<-served
			s.table([]row{
				{do: "GET {session}", status: 204, gives: header{"Range": "0-4"}},
				{do: "GET " + at + d, status: 404, code: "BLOB_UNKNOWN"},
				{do: "PATCH {session}", with: header{"Content-Range": "5-9"}, body: "56789", status: 202, gives: header{"Range": "0-9"}},
				{do: "PUT {session}?digest=" + d, status: 201},
				{do: "GET " + at + d, status: 200, text: tenBytes},
				{do: "DELETE " + at + d, status: 202},
			})
			if t.Failed() {
				t.Fatalf("above: %s of %s", do, name)
			}
		}
		s.cutOff("POST "+at+"uploads/?digest="+d, body) // without a session nothing can go on
		<-served
		s.table([]row{{do: "GET " + at + d, status: 404, code: "BLOB_UNKNOWN"}})
	}
	if n := s.leftovers(); n != 0 {
		t.Errorf("%d files of dead uploads", n)
	}
}

// cutOff sends a request as it stands, up to the end of body, and hangs up.
func (s *stack) cutOff(do, body string) {
	s.Helper()
	conn := s.dial(do, body)
	s.must(conn.Close())
}

func (s *stack) dial(do, body string) net.Conn {
	s.Helper()
	conn, err := new(net.Dialer).DialContext(s.Context(), "tcp", s.http.Listener.Addr().String())
	s.must(err)
	req := s.request(row{do: do})
	_, err = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\nX-Raw: yes\r\n%s", req.Method, req.URL.RequestURI(), req.Host, req.Header.Get("Authorization"), body)
	s.must(err)
	return conn
}

// TestSessionTooMany caps the open sessions of a principal.
func TestSessionTooMany(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{maxSessions: 2})
	refused := row{do: "POST " + at + "uploads/", status: 429, code: "TOOMANYREQUESTS"}
	s.table([]row{
		{do: "POST " + at + "uploads/", status: 202},
		{do: "POST /v2/alice/else/blobs/uploads/", status: 202},
		refused,
		{do: "POST " + at + "uploads/?mount=" + digestOf("absent"), status: 429, code: "TOOMANYREQUESTS"},
		{do: "POST " + at + "uploads/?digest=" + digestOf(tenBytes), body: tenBytes, status: 201}, // needs none
		{do: "POST /v2/bob/app/blobs/uploads/", as: "bob", status: 202},
		{do: "DELETE {session}", as: "bob", status: 204},
		refused,
	})
	s.restart()
	s.table([]row{refused})
}
