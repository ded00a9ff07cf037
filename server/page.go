package server

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"strings"
)

// page is what the browser login shows: a link to begin, a failure, or a token.
type page struct {
	Begin  bool
	Failed string

	Host, User, Token, Name, Expires string
	Groups                           []string
}

//go:embed login/*
var files embed.FS

// pages are the parts of the pages and the policy under which browsers show
// them: nothing but their own style, which is known by its hash, and no frames,
// scripts or forms. They are no html/template: with that in the program the
// linker keeps every method of every library, half as much again.
type pages struct {
	frame, begin, failed, token string
	style, policy               string
}

func newPages() pages {
	read := func(name string) string {
		b, _ := files.ReadFile("login/" + name) // embedded: it is there
		return string(b)
	}
	style := read("style.css")
	sum := sha256.Sum256([]byte(style))
	return pages{
		frame: read("frame.html"), begin: read("begin.html"), failed: read("failed.html"), token: read("token.html"), style: style,
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; " +
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}
}

// of returns a page in HTML. What is filled in stands between tags only, never
// within one, so that escaping it is enough.
func (p pages) of(one page) string {
	body := p.token
	switch {
	case one.Begin:
		body = p.begin
	case one.Failed != "":
		body = p.failed
	}
	groups := strings.Join(one.Groups, ", ")
	if groups == "" {
		groups = "none"
	}
	esc := html.EscapeString
	filled := strings.NewReplacer("{Failed}", esc(one.Failed), "{Host}", esc(one.Host), "{User}", esc(one.User), "{Token}", esc(one.Token),
		"{Name}", esc(one.Name), "{Expires}", esc(one.Expires), "{Groups}", esc(groups)).Replace(body)
	return strings.NewReplacer("{Style}", p.style, "{Body}", filled).Replace(p.frame)
}

// writePage answers with a page that nobody keeps.
func (s *Server) writePage(w http.ResponseWriter, status int, p page) error {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", s.pages.policy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	w.WriteHeader(status)
	_, err := io.WriteString(w, s.pages.of(p))
	return clientGone(err)
}
