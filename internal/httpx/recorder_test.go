package httpx_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/internal/httpx"
)

func TestRecorder(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func(w http.ResponseWriter)
		status int
		sent   int64
	}{
		{"nothing", func(http.ResponseWriter) {}, 0, 0},
		{"a header", func(w http.ResponseWriter) { w.WriteHeader(204) }, 204, 0},
		{"a body", func(w http.ResponseWriter) { _, _ = io.WriteString(w, "12345") }, 200, 5},
		{"both", func(w http.ResponseWriter) { w.WriteHeader(404); _, _ = io.WriteString(w, "12345") }, 404, 5},
		{"two headers", func(w http.ResponseWriter) { w.WriteHeader(404); w.WriteHeader(200) }, 404, 0},
		{"early hints", func(w http.ResponseWriter) { w.WriteHeader(103); w.WriteHeader(201) }, 201, 0},
		{"a copy", func(w http.ResponseWriter) { _, _ = io.Copy(w, strings.NewReader("12345")) }, 200, 5},
		{"a copy after a part", func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, "12")
			_, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader("345"))
		}, 200, 5},
	} {
		rec := &httpx.Recorder{ResponseWriter: httptest.NewRecorder()}
		test.answer(rec)
		if rec.Status != test.status || rec.Sent != test.sent {
			t.Errorf("%s: %d with %d bytes, want %d with %d", test.name, rec.Status, rec.Sent, test.status, test.sent)
		}
	}
}

// half is a connection that breaks after five bytes, and takes deadlines.
type half struct {
	http.ResponseWriter
	readFrom int
	deadline time.Time
}

var errBroken = errors.New("broken")

func (h *half) Write(p []byte) (int, error) { return min(len(p), 5), errBroken }

func (h *half) ReadFrom(r io.Reader) (int64, error) {
	h.readFrom++
	n, _ := io.CopyN(io.Discard, r, 5)
	return n, errBroken
}

func (h *half) SetWriteDeadline(t time.Time) error { h.deadline = t; return nil }

// TestRecorderUnderneath counts what was really sent, and leaves ReadFrom and
// deadlines to the writer underneath.
func TestRecorderUnderneath(t *testing.T) {
	h := &half{ResponseWriter: httptest.NewRecorder()}
	rec := &httpx.Recorder{ResponseWriter: h}
	if n, err := rec.Write([]byte("1234567890")); n != 5 || !errors.Is(err, errBroken) || rec.Sent != 5 {
		t.Errorf("Write: %d, %v, sent %d", n, err, rec.Sent)
	}
	if n, err := rec.ReadFrom(io.LimitReader(strings.NewReader("1234567890"), 10)); n != 5 || !errors.Is(err, errBroken) || rec.Sent != 10 || h.readFrom != 1 {
		t.Errorf("ReadFrom: %d, %v, sent %d, %d underneath", n, err, rec.Sent, h.readFrom)
	}
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	if err := http.NewResponseController(rec).SetWriteDeadline(at); err != nil || !h.deadline.Equal(at) {
		t.Errorf("deadline %v, %v", h.deadline, err)
	}
}

// TestCountBody counts what is read, not what is declared.
func TestCountBody(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/", strings.NewReader("1234567890"))
	b := httpx.CountBody(r)
	if _, err := io.CopyN(io.Discard, r.Body, 4); err != nil || b.Received != 4 {
		t.Errorf("%d bytes, %v", b.Received, err)
	}
	if rest, err := io.ReadAll(r.Body); string(rest) != "567890" || err != nil || b.Received != 10 {
		t.Errorf("%q, %v, %d bytes", rest, err, b.Received)
	}
	if err := r.Body.Close(); err != nil {
		t.Error(err)
	}
	for name, body := range map[string]io.ReadCloser{"none": nil, "empty": http.NoBody} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Body = body
		if b := httpx.CountBody(r); r.Body != body || b.Received != 0 {
			t.Errorf("%s: the body was replaced", name)
		}
	}
}
