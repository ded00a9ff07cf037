package server_test

import (
	"encoding/base64"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/guess"
	"github.com/berth-registry/berth/internal/httpx"
)

// TestGuessing: whoever guesses is told at once when to come back, by every way
// that takes a password, and nobody else is.
func TestGuessing(t *testing.T) {
	t.Parallel()
	s := newStack(t, settings{
		door:    func(next auth.PasswordVerifier) auth.PasswordVerifier { return guess.New(next) },
		proxies: httpx.Proxies{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
	})
	at := func(address string) header { return header{"X-Forwarded-For": address} }
	with := func(secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte("alice:"+secret))
	}
	post := func(address, secret string) response {
		return s.send(row{
			do: "POST /token", as: "-", body: passwordForm("alice", secret).Encode(),
			with: header{"X-Forwarded-For": address, "Content-Type": "application/x-www-form-urlencoded"},
		})
	}
	if got := post("192.0.2.1", "first"); got.StatusCode != http.StatusUnauthorized { // containerd: POST, then GET
		t.Errorf("POST: %d", got.StatusCode)
	}
	late := func(do, seconds string) row {
		return row{
			do: do, as: with(password), with: at("192.0.2.1"), status: 429, code: "TOOMANYREQUESTS",
			gives: header{"Retry-After": seconds, "Www-Authenticate": ""},
		}
	}
	s.table([]row{
		{do: "GET /token", as: with("first"), with: at("192.0.2.1"), status: 401, code: "UNAUTHORIZED"},
		{do: "GET /v2/", as: with("second"), with: at("192.0.2.1"), status: 401, code: "UNAUTHORIZED"},
		{do: "GET /v1/search?q=x", as: with("third"), with: at("192.0.2.1"), status: 401, code: "UNAUTHORIZED"},
		late("GET /token", "1"), late("GET /v2/", "1"), late("GET /v2/alice/app/tags/list", "1"), late("GET /v1/search?q=x", "1"),

		{do: "GET /token", as: with("first"), with: at("192.0.2.1"), status: 401, code: "UNAUTHORIZED"}, // was told, is told
		{do: "GET /token", as: with(password), with: at("192.0.2.2"), status: 200},
		{do: "GET /token", as: "bob", with: at("192.0.2.1"), status: 200},
		{do: "GET /token", as: "-", with: at("192.0.2.1"), status: 200},
	})
	if got := post("192.0.2.1", password); got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") != "1" || !strings.Contains(got.body, "try again in 1 s") {
		t.Errorf("POST: %d %v %s", got.StatusCode, got.Header, got.body)
	}
	s.clock.advance(time.Second)
	s.table([]row{{do: "GET /token", as: with("fourth"), with: at("192.0.2.1"), status: 401, code: "UNAUTHORIZED"}, late("GET /token", "2")})
	s.clock.advance(1500 * time.Millisecond)
	s.table([]row{late("GET /token", "1")})
	s.clock.advance(500 * time.Millisecond)
	s.table([]row{{do: "GET /token", as: with(password), with: at("192.0.2.1"), status: 200}})
}
