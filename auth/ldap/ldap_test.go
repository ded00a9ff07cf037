package ldap_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	goldap "github.com/go-ldap/ldap/v3"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/ldap"
	"github.com/berth-registry/berth/oci"
)

var start = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// accounts has the local account root, and notes who is admitted.
type accounts struct {
	mu       sync.Mutex
	admitted []auth.Person
	err      error // of Admit
}

func (a *accounts) Local(_ context.Context, name string) (bool, error) { return name == "root", nil }

func (a *accounts) Login(_ context.Context, c auth.Credentials, _ time.Time) (auth.Principal, error) {
	if c.Name == "root" && c.Secret == "root-password" {
		return auth.Principal{Kind: auth.User, Name: "root", Admin: true}, nil
	}
	return auth.Principal{}, auth.ErrBadCredentials
}

func (a *accounts) Admit(_ context.Context, p auth.Person, _ time.Time) (auth.Principal, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.admitted = append(a.admitted, p)
	return auth.Principal{Kind: auth.User, Name: p.Name, Groups: p.Groups, Admin: p.Admin}, a.err
}

// options are those that fit the directory of serve.
func options(url string) ldap.Options {
	return ldap.Options{
		URL: url, BindDN: service, BindPassword: "service-password", BaseDN: "dc=example,dc=org",
		UserFilter: "(uid=${user})", GroupFilter: "(member=${dn})", GroupAttribute: "cn", Accounts: new(accounts),
	}
}

func open(t testing.TB, o ldap.Options) *ldap.Directory {
	t.Helper()
	d, err := ldap.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func login(t testing.TB, d *ldap.Directory, name, password string, after time.Duration, want error) auth.Principal {
	t.Helper()
	p, err := d.Login(t.Context(), auth.Credentials{Name: name, Secret: password}, start.Add(after))
	if !errors.Is(err, want) || (want == nil) != (err == nil) {
		t.Errorf("%s: %v, want %v", name, err, want)
	}
	if err != nil && strings.Contains(err.Error(), password) && password != "" {
		t.Errorf("%s: the error shows the password: %v", name, err)
	}
	return p
}

func TestLogin(t *testing.T) {
	s := serve(t)
	d := open(t, options(s.url()))
	for range 2 { // asked, remembered
		p := login(t, d, "alice", "alice-password", 0, nil)
		if want := (auth.Principal{Kind: auth.User, Name: "alice", Groups: []string{"dev", "ops"}}); !reflect.DeepEqual(p, want) {
			t.Errorf("%+v, want %+v", p, want)
		}
		if p := login(t, d, "bob", "bob-password", 0, nil); p.Groups != nil || p.Name != "bob" {
			t.Errorf("%+v", p)
		}
		for _, tc := range [][2]string{
			{"alice", "bob-password"}, {"alice", "Alice-password"}, {"alice", "alice-password "}, {"alice", strings.Repeat("x", 5000)},
			{"nobody", "alice-password"}, {"nobody", "x"},
		} {
			login(t, d, tc[0], tc[1], 0, auth.ErrBadCredentials)
		}
	}
}

// Neither an empty password, with which a bind succeeds as nobody (RFC 4513,
// section 5.1.2), nor what cannot be a user name reaches the directory.
func TestNothingIsAsked(t *testing.T) {
	s := serve(t)
	d := open(t, options(s.url()))
	for _, tc := range [][2]string{
		{"alice", ""}, {"nobody", ""}, {"", "x"}, {"", ""}, {"*", "x"}, {"a*", "x"}, {"alice)(uid=*", "x"}, {"Alice", "alice-password"},
		{"alice ", "alice-password"}, {"a/b", "x"}, {"**", "x"}, {"admin/..", "x"}, {"robot$ci", "x"}, {"library", "x"}, {strings.Repeat("a", 65), "x"},
	} {
		login(t, d, tc[0], tc[1], 0, auth.ErrBadCredentials)
	}
	for _, name := range []string{"", "*", "Alice", "robot$ci"} {
		if _, err := d.Lookup(t.Context(), name, start); !errors.Is(err, auth.ErrBadCredentials) {
			t.Errorf("look up %q: %v", name, err)
		}
	}
	if s.connections() != 0 {
		t.Errorf("asked: %q", s.took())
	}
}

// A local account is never shadowed, whatever the directory has of the name.
func TestLocalAccountsComeFirst(t *testing.T) {
	s := serve(t)
	s.change(func() {
		s.found["(uid=root)"], s.passwords["uid=root"] = []entry{{dn: "uid=root"}}, "directory-password"
	})
	d := open(t, options(s.url()))
	if p := login(t, d, "root", "root-password", 0, nil); !p.Admin {
		t.Errorf("%+v", p)
	}
	login(t, d, "root", "directory-password", 0, auth.ErrBadCredentials)
	if s.connections() != 0 {
		t.Errorf("asked: %q", s.took())
	}
}

// Right and wrong answers are remembered for a minute, each for its password.
func TestRemembered(t *testing.T) {
	s := serve(t)
	d := open(t, options(s.url()))
	for password, want := range map[string]error{"alice-password": nil, "guess": auth.ErrBadCredentials} {
		for _, tc := range []struct {
			after time.Duration
			asked bool
		}{{0, true}, {0, false}, {time.Minute - 1, false}, {time.Minute, true}, {2*time.Minute - 1, false}} {
			login(t, d, "alice", password, tc.after, want)
			if got := len(s.took()) > 0; got != tc.asked {
				t.Errorf("%s after %v: asked %t", password, tc.after, got)
			}
		}
	}
}

// Groups that are gone in the directory are gone here (CVE-2025-23208).
func TestGroupsReplace(t *testing.T) {
	s := serve(t)
	o := options(s.url())
	o.AdminGroup = "ops"
	d := open(t, o)
	if p := login(t, d, "alice", "alice-password", 0, nil); !p.Admin || !slices.Equal(p.Groups, []string{"dev", "ops"}) {
		t.Errorf("%+v", p)
	}
	s.change(func() { s.found["(member="+alice+")"] = []entry{group("dev")} })
	if p := login(t, d, "alice", "alice-password", time.Minute, nil); p.Admin || !slices.Equal(p.Groups, []string{"dev"}) {
		t.Errorf("%+v", p)
	}
	s.change(func() { delete(s.found, "(member="+alice+")") })
	if p := login(t, d, "alice", "alice-password", 2*time.Minute, nil); p.Admin || p.Groups != nil {
		t.Errorf("%+v", p)
	}
	for i, want := range []auth.Person{
		{Provider: auth.ProviderLDAP, Name: "alice", Groups: []string{"dev", "ops"}, Admin: true},
		{Provider: auth.ProviderLDAP, Name: "alice", Groups: []string{"dev"}},
		{Provider: auth.ProviderLDAP, Name: "alice"},
	} {
		if got := o.Accounts.(*accounts).admitted[i]; !reflect.DeepEqual(got, want) {
			t.Errorf("admitted %+v, want %+v", got, want)
		}
	}
}

func TestGroups(t *testing.T) {
	many := make([]entry, auth.MaxGroups+1)
	for i := range many {
		many[i] = group(fmt.Sprint("g", i))
	}
	for _, tc := range []struct {
		name   string
		found  []entry
		code   uint16
		groups int
		want   error
	}{
		{"none", nil, 0, 0, nil},
		{"as many as there may be", many[:auth.MaxGroups], 0, auth.MaxGroups, nil},
		{"one more", many, 0, 0, auth.ErrDenied},
		{"one more by another name", append(slices.Clone(many[1:auth.MaxGroups]), group("x", "y")), 0, 0, auth.ErrDenied},
		{"more than the directory tells", many[:3], goldap.LDAPResultSizeLimitExceeded, 0, auth.ErrDenied},
		{"two names, one of them twice", []entry{group("b", "a"), group("a")}, 0, 2, nil},
		{"names that no grant can have", []entry{group("a"), group(" b"), group(""), group("c\n"), group(strings.Repeat("d", 256))}, 0, 1, nil},
		{"no such attribute", []entry{{"cn=x", map[string][]string{"ou": {"x"}}}}, 0, 0, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t)
			s.change(func() {
				s.found["(member="+alice+")"] = tc.found
				s.codes["(member="+alice+")"] = tc.code
			})
			d := open(t, options(s.url()))
			if p := login(t, d, "alice", "alice-password", 0, tc.want); len(p.Groups) != tc.groups {
				t.Errorf("%d groups: %q", len(p.Groups), p.Groups)
			}
			login(t, d, "alice", "guess", 0, auth.ErrBadCredentials) // who does not know the password hears of no group
		})
	}
}

// What is asked about who is not there is what is asked about who is.
func TestUnknownCostsTheSame(t *testing.T) {
	s := serve(t)
	d := open(t, options(s.url()))
	kinds := func(password, name string) (kinds []string) {
		login(t, d, name, password, 0, auth.ErrBadCredentials)
		for _, a := range s.took() {
			kind, _, _ := strings.Cut(a, " ")
			kinds = append(kinds, kind)
		}
		return kinds
	}
	known, unknown := kinds("guess", "alice"), kinds("guess", "nobody")
	if want := []string{"bind", "search", "search", "bind"}; !slices.Equal(known, want) || !slices.Equal(unknown, want) {
		t.Errorf("known %q, unknown %q, want %q", known, unknown, want)
	}
}

// Lookup knows groups without a password, and who has left.
func TestLookup(t *testing.T) {
	s := serve(t)
	d := open(t, options(s.url()))
	p, err := d.Lookup(t.Context(), "alice", start)
	if err != nil || !slices.Equal(p.Groups, []string{"dev", "ops"}) {
		t.Errorf("%+v %v", p, err)
	}
	if got := s.took(); slices.Contains(got, "bind "+alice) {
		t.Errorf("asked %q", got)
	}
	login(t, d, "alice", "", 0, auth.ErrBadCredentials) // what Lookup remembers opens nothing
	s.change(func() { delete(s.found, "(uid=alice)") })
	if _, err := d.Lookup(t.Context(), "alice", start.Add(time.Minute-1)); err != nil {
		t.Error(err)
	}
	if _, err := d.Lookup(t.Context(), "alice", start.Add(time.Minute)); !errors.Is(err, auth.ErrBadCredentials) {
		t.Error(err)
	}
}

// Whoever cannot be a user here is told so, and nobody else.
func TestAdmissionDecides(t *testing.T) {
	s := serve(t)
	o := options(s.url())
	o.Accounts.(*accounts).err = fmt.Errorf("%w: the name is taken", auth.ErrDenied)
	d := open(t, o)
	login(t, d, "alice", "guess", 0, auth.ErrBadCredentials)
	login(t, d, "alice", "alice-password", 0, auth.ErrDenied)
}

// A directory that does not decide is never a wrong password, and is asked
// again at once.
func TestFailures(t *testing.T) {
	for _, tc := range []struct {
		name string
		fail func(*directory, *ldap.Options)
	}{
		{"nobody listens", func(s *directory, o *ldap.Options) { o.URL = "ldap://" + closedAddr(s.T) }},
		{"wrong service password", func(_ *directory, o *ldap.Options) { o.BindPassword = "x" }},
		{"service account locked", func(s *directory, _ *ldap.Options) { s.codes[service] = goldap.LDAPResultUnwillingToPerform }},
		{"no base", func(s *directory, _ *ldap.Options) { s.codes["(uid=alice)"] = goldap.LDAPResultNoSuchObject }},
		{"several users", func(s *directory, _ *ldap.Options) { s.found["(uid=alice)"] = []entry{{dn: alice}, {dn: bob}} }},
		{"user without a DN", func(s *directory, _ *ldap.Options) { s.found["(uid=alice)"] = []entry{{}} }},
		{"no groups may be seen", func(s *directory, _ *ldap.Options) {
			s.codes["(member="+alice+")"] = goldap.LDAPResultInsufficientAccessRights
		}},
		{"busy", func(s *directory, _ *ldap.Options) { s.codes[alice] = goldap.LDAPResultBusy }},
		{"strange success", func(s *directory, _ *ldap.Options) { s.codes[alice] = goldap.LDAPResultSaslBindInProgress }},
		{"hangs up", func(s *directory, _ *ldap.Options) {
			s.answer = func(c net.Conn, _ int64) bool { c.Close(); return true }
		}},
		{"garbage", func(s *directory, _ *ldap.Options) {
			s.answer = func(c net.Conn, _ int64) bool {
				_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
				c.Close()
				return true
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t)
			o := options(s.url())
			s.change(func() { tc.fail(s, &o) })
			d := open(t, o)
			login(t, d, "alice", "alice-password", 0, oci.ErrUnavailable)
			before := s.connections()
			login(t, d, "alice", "alice-password", 0, oci.ErrUnavailable)
			if o.URL == s.url() && s.connections() != before+1 {
				t.Error("a failure was remembered")
			}
		})
	}
}

// A directory that says nothing, at whatever point, is given up when the time
// is over.
func TestSilence(t *testing.T) {
	for name, silent := range map[string]string{"at once": "bind " + service, "at a search": "search (uid=alice)", "at the last bind": "bind " + alice} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			s.answer = func(net.Conn, int64) bool { return s.asked[len(s.asked)-1] == silent }
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if err := open(t, options(s.url())).Exchange(ctx, "alice", "alice-password"); !errors.Is(err, oci.ErrUnavailable) {
				t.Error(err)
			}
		})
	}
	l := listen(t) // nobody accepts
	for _, scheme := range []string{"ldap", "ldaps"} {
		d := open(t, options(scheme+"://"+host))
		d.ConnectTo(l.Addr().String())
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := d.Exchange(ctx, "alice", "alice-password"); !errors.Is(err, oci.ErrUnavailable) {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}

// Nobody reads an answer that has no end.
func TestAnswersAreBounded(t *testing.T) {
	for name, next := range map[string]func(c net.Conn, id int64) (int, error){
		"an entry of 2 GB": func(c net.Conn, id int64) (int, error) {
			return c.Write(append([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xf0, 0x04, 0x84, 0x7f, 0xff, 0xff, 0x00}, make([]byte, 64<<10)...))
		},
		"answers to what was not asked": func(c net.Conn, id int64) (int, error) {
			return 64 << 10, send(c, id+1, group(strings.Repeat("x", 64<<10)).packet())
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			sent := 0
			s.answer = func(c net.Conn, id int64) bool {
				for {
					n, err := next(c, id)
					if sent += n; err != nil {
						return true
					}
				}
			}
			login(t, open(t, options(s.url())), "alice", "alice-password", 0, oci.ErrUnavailable)
			s.change(func() { // the rest is what the kernel buffers
				if sent > 32<<20 {
					t.Errorf("%d bytes were read", sent)
				}
			})
		})
	}
}

// Each way a directory has of saying no is a wrong password.
func TestRefusals(t *testing.T) {
	for _, code := range []uint16{
		goldap.LDAPResultInvalidCredentials, goldap.LDAPResultInappropriateAuthentication, goldap.LDAPResultConstraintViolation,
		goldap.LDAPResultUnwillingToPerform, goldap.LDAPResultInsufficientAccessRights, goldap.LDAPResultNoSuchObject,
	} {
		s := serve(t)
		s.change(func() { s.codes[alice] = code })
		login(t, open(t, options(s.url())), "alice", "alice-password", 0, auth.ErrBadCredentials)
	}
}

// closedAddr is where nobody listens any more.
func closedAddr(t *testing.T) string {
	l := listen(t)
	_ = l.Close()
	return l.Addr().String()
}

const host = "ldap.example.org"

// A password travels by TLS, or not at all.
func TestTLS(t *testing.T) {
	for _, tc := range []struct {
		name   string
		scheme string
		change func(*directory, *ldap.Options)
		want   error
		asked  []string // when it fails; nothing that has a password in it
	}{
		{"ldaps", "ldaps", func(*directory, *ldap.Options) {}, nil, nil},
		{"ldaps, unknown authority", "ldaps", func(_ *directory, o *ldap.Options) { o.CA = nil }, oci.ErrUnavailable, nil},
		{"ldaps, other host", "ldaps", func(_ *directory, o *ldap.Options) { o.URL = "ldaps://other.example.org" }, oci.ErrUnavailable, nil},
		{"StartTLS", "ldap", func(*directory, *ldap.Options) {}, nil, nil},
		{"StartTLS, unknown authority", "ldap", func(_ *directory, o *ldap.Options) { o.CA = nil }, oci.ErrUnavailable, []string{"starttls"}},
		{"StartTLS, refused", "ldap", func(s *directory, _ *ldap.Options) { s.tls = nil }, oci.ErrUnavailable, []string{"starttls"}},
		{"plain, and said so", "ldap", func(s *directory, o *ldap.Options) { s.tls, o.Insecure = nil, true }, nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t)
			o := options(tc.scheme + "://" + host)
			o.CA = s.certify(host)
			address := s.listener.Addr().String()
			if tc.scheme == "ldaps" {
				address = s.ldaps()
			}
			s.change(func() { tc.change(s, &o) })
			d := open(t, o)
			d.ConnectTo(address)
			login(t, d, "alice", "alice-password", 0, tc.want)
			if got := s.took(); tc.want != nil && !slices.Equal(got, tc.asked) {
				t.Errorf("asked %q, want %q", got, tc.asked)
			}
		})
	}
}

// On this machine no TLS is needed, but then it must be this machine.
func TestPlainOnlyHere(t *testing.T) {
	s := serve(t)
	_, port, _ := net.SplitHostPort(s.listener.Addr().String())
	login(t, open(t, options("ldap://localhost:"+port)), "alice", "alice-password", 0, nil)
	if got := s.took(); slices.Contains(got, "starttls") {
		t.Errorf("asked %q", got)
	}
}

func TestOptions(t *testing.T) {
	for name, change := range map[string]func(*ldap.Options){
		"no URL":                func(o *ldap.Options) { o.URL = "" },
		"no host":               func(o *ldap.Options) { o.URL = "ldap://" },
		"other scheme":          func(o *ldap.Options) { o.URL = "http://h" },
		"base":                  func(o *ldap.Options) { o.BaseDN = "example" },
		"everybody":             func(o *ldap.Options) { o.UserFilter = "(uid=*)" },
		"half a filter":         func(o *ldap.Options) { o.UserFilter = "(uid=${user}" },
		"DN of whom":            func(o *ldap.Options) { o.UserFilter = "(&(uid=${user})(x=${dn}))" },
		"other variable":        func(o *ldap.Options) { o.UserFilter = "(&(uid=${user})(x=${mail}))" },
		"everybody's groups":    func(o *ldap.Options) { o.GroupFilter = "(cn=*)" },
		"half a group filter":   func(o *ldap.Options) { o.GroupFilter = "(member=${dn}" },
		"authorities of nobody": func(o *ldap.Options) { o.URL, o.CA = "ldaps://h", []byte("x") },
	} {
		o := options("ldap://127.0.0.1")
		change(&o)
		if _, err := ldap.New(o); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// FuzzFilter checks that a value stays one value, whatever is in it.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{"alice", "*", "a)(uid=*", `\2a`, "\x00", "ä", "${dn}", "${user}", "cn=a\\,b,dc=x", "("} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, user, dn string) {
		p, err := goldap.CompileFilter(ldap.Fill("(&(uid=${user})(member=${dn}))", user, dn))
		if err != nil {
			t.Fatal(err)
		}
		if p.Tag != goldap.FilterAnd || len(p.Children) != 2 {
			t.Fatalf("another filter: %v", p)
		}
		for i, want := range []string{user, dn} {
			c := p.Children[i]
			if c.Tag != goldap.FilterEqualityMatch || len(c.Children) != 2 || c.Children[1].Data.String() != want {
				t.Fatalf("part %d is %v of %q, want one value %q", i, goldap.FilterMap[uint64(c.Tag)], c.Data.String(), want)
			}
		}
	})
}
