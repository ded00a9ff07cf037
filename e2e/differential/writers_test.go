package differential

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"testing"
)

// twoWriters is a case that no sequence can make: a PATCH while another PATCH
// of the same session is on its way.
func (p *pair) twoWriters(t *testing.T, tbl *table) {
	t.Helper()
	if err := p.reset(); err != nil {
		t.Fatal(err)
	}
	if f := p.run(seq(start(repo, 1)), tbl); f != nil {
		t.Fatal(f)
	}
	x := exchange{step: patch(repo, 1, small).as(meanwhile)}
	var err error
	if x.dist, err = p.dist.sendMeanwhile(x.step); err != nil {
		t.Fatal(err)
	}
	target := x.target(p.berth)
	if x.berth, err = p.berth.sendMeanwhile(x.step); err != nil {
		t.Fatal(err)
	}
	p.observe(x.method, target, x.berth)
	if f := p.judge(x, tbl); f != nil {
		t.Error(f)
	}
}

// sendMeanwhile sends s while a request like it is being read: its handler
// has asked for the body, which does not come before s is answered.
func (at *side) sendMeanwhile(s step) (answer, error) {
	r, err := s.request(at)
	if err != nil {
		return answer{}, err
	}
	reading := make(chan struct{})
	trace := &httptrace.ClientTrace{Got100Continue: func() { close(reading) }}
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), trace))
	r.Header.Set("Expect", "100-continue")
	body, more := io.Pipe()
	r.Body, r.ContentLength = body, -1
	done := make(chan error, 1)
	go func() {
		resp, err := at.http.Client().Do(r)
		if err == nil {
			err = resp.Body.Close()
		}
		done <- err
	}()
	select {
	case <-reading:
	case err := <-done: // refused before it was read
		return answer{status: http.StatusExpectationFailed}, err
	}
	a, err := at.send(s)
	if err != nil {
		return a, err
	}
	if err := more.Close(); err != nil {
		return a, err
	}
	return a, <-done
}
