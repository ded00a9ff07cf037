package server

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
)

// page is what the browser login shows: a link to begin, a failure, or a token.
type page struct {
	Begin  bool
	Failed string

	Host, User, Token, Name, Expires string
	Groups                           []string

	Style template.CSS
}

//go:embed login.html login.css
var files embed.FS

// pages are the one template and the policy under which browsers show it:
// nothing but its own style, which is known by its hash, and no frames, scripts
// or forms.
type pages struct {
	template *template.Template
	style    template.CSS
	policy   string
}

func newPages() pages {
	style, _ := files.ReadFile("login.css") // embedded: it is there
	sum := sha256.Sum256(style)
	return pages{
		template: template.Must(template.ParseFS(files, "login.html")),
		style:    template.CSS(style),
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; " +
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}
}

// writePage answers with a page that nobody keeps.
func (s *Server) writePage(w http.ResponseWriter, status int, p page) error {
	p.Style = s.pages.style
	var body bytes.Buffer
	if err := s.pages.template.Execute(&body, p); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", s.pages.policy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	w.WriteHeader(status)
	_, err := w.Write(body.Bytes())
	return clientGone(err)
}
