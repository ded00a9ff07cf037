package audit

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/berth-registry/berth/auth"
)

// Entry is one line of the trail. What does not apply is left out.
type Entry struct {
	Time       time.Time  `json:"time"`
	Principal  string     `json:"principal"`         // auth.Principal.ID: who did it, or was refused; "admin socket" there
	Client     netip.Addr `json:"client,omitzero"`   // the address it came from
	Action     Action     `json:"action"`            // what it was to do
	Request    string     `json:"request,omitempty"` // by which request: the kind of the access log, or the operation of the API
	Repository string     `json:"repository,omitempty"`
	Reference  string     `json:"reference,omitempty"` // a tag; of administration, whom or what it is about
	Digest     string     `json:"digest,omitempty"`
	Outcome    Outcome    `json:"outcome"`
	Status     int        `json:"status,omitempty"`        // of HTTP
	Credential string     `json:"credential,omitempty"`    // what was shown: see By
	ID         string     `json:"credential_id,omitempty"` // of a personal token
	Account    string     `json:"account,omitempty"`       // the ID of whose name was shown, at a login that did not succeed
	Detail     string     `json:"detail,omitempty"`
	Suppressed int        `json:"suppressed,omitempty"` // refusals since the one before, of which there is no entry
}

// The credentials.
const (
	Password      = "password"
	PersonalToken = "personal_token"
	RobotSecret   = "robot_secret"
	OutsideToken  = "outside_token"
	RefreshToken  = "refresh_token"
	Browser       = "browser_login"      // what a provider of identities says of a person
	Certificate   = "client_certificate" // of TLS
	RegistryToken = "token"              // one that was got for another credential, and goes on with its id
	Socket        = "socket"             // none: the admin socket could be opened
)

// By returns the entry with who did it, from where, and by what credential.
func (e Entry) By(p auth.Principal) Entry {
	e.Principal, e.Client, e.ID = p.ID(), p.Client, p.Credential
	switch {
	case p.Token:
		e.Credential = RegistryToken
	case p.Kind == auth.Robot:
		e.Credential = RobotSecret
	case p.Kind == auth.Outside:
		e.Credential = OutsideToken
	case p.Kind == auth.User && p.Credential != "":
		e.Credential = PersonalToken
	case p.Kind == auth.User:
		e.Credential = Password
	}
	return e
}

// Action is what a request does.
type Action string

// The actions. Pull, list and ping are seen only where they are refused.
const (
	Login  Action = "login"
	Token  Action = "token" // of the registry, issued
	Pull   Action = "pull"
	Push   Action = "push"
	Delete Action = "delete"
	List   Action = "list" // repositories
	Ping   Action = "ping" // /v2/, by which clients try their token
	Admin  Action = "admin"
)

var actions = [...]Action{Login, Token, Pull, Push, Delete, List, Ping, Admin}

// Outcome is what became of it.
type Outcome string

// The outcomes.
const (
	OK      Outcome = "ok"
	Denied  Outcome = "denied"  // a wrong secret, an invalid token, a missing right
	Delayed Outcome = "delayed" // a login that was not looked at, because of guesses before it or many others beside it
	Failed  Outcome = "failed"  // a failure of the server; what was to be done may have been
)

var outcomes = [...]Outcome{OK, Denied, Delayed, Failed}

// class is where an entry is kept, so that many of one kind push out none of
// another.
type class int

const (
	changes  class = iota // what was done
	arrivals              // who came in
	refusals              // what was not to be, and what strangers get for the asking
	classes
)

func (e *Entry) class() class {
	switch {
	case e.Outcome == Denied, e.Outcome == Delayed, e.Action == Token && e.Principal == auth.Principal{}.ID():
		return refusals
	case e.Action == Login, e.Action == Token:
		return arrivals
	}
	return changes
}

// Longest texts of an entry, in bytes. Names of repositories, digests and tags
// are shorter anyway.
const (
	maxText   = 512
	maxDetail = 1024
)

// bounded returns the entry as it is kept: UTC, every text bounded, printable
// and a copy, so that it holds on to no request.
func (e Entry) bounded() Entry {
	e.Time = e.Time.UTC().Round(0)
	for _, text := range []*string{
		&e.Principal, &e.Request, &e.Repository, &e.Reference, &e.Digest, &e.Credential, &e.ID, &e.Account,
		(*string)(&e.Action), (*string)(&e.Outcome),
	} {
		*text = printable(*text, maxText)
	}
	e.Detail = printable(e.Detail, maxDetail)
	return e
}

// printable copies at most n bytes of s, with a replacement character for
// whatever a terminal or a reader of lines could take for a command.
func printable(s string, n int) string {
	const more = "..."
	var b strings.Builder
	for _, r := range s {
		if !unicode.IsPrint(r) {
			r = utf8.RuneError
		}
		if b.Len()+utf8.RuneLen(r) > n-len(more) {
			b.WriteString(more)
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

// size is about what an entry takes in memory, in bytes.
func (e *Entry) size() int {
	const fixed = 320
	return fixed + len(e.Principal) + len(e.Request) + len(e.Repository) + len(e.Reference) + len(e.Digest) +
		len(e.Credential) + len(e.ID) + len(e.Account) + len(e.Detail)
}

// line is the entry as it is written: one JSON object and a newline.
func (e *Entry) line() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(e)
	return b.Bytes(), err
}
