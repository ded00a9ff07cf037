package ldap_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// directory is an LDAP server with what the tests put into it. Like a real one
// it lets in whoever has a name and no password, as nobody.
type directory struct {
	*testing.T
	listener net.Listener
	tls      *tls.Config

	mu        sync.Mutex
	passwords map[string]string               // of DNs
	found     map[string][]entry              // by filters
	codes     map[string]uint16               // results other than success, by DN or filter
	answer    func(c net.Conn, id int64) bool // instead of all others, if it returns true
	asked     []string                        // what was asked: "bind DN", "search filter", "starttls"
	conns     int
}

type entry struct {
	dn     string
	values map[string][]string
}

const (
	service = "cn=service,dc=example,dc=org"
	alice   = "uid=alice,ou=people,dc=example,dc=org"
	bob     = "uid=bob,ou=people,dc=example,dc=org"
)

func group(names ...string) entry {
	return entry{"cn=" + names[0] + ",ou=groups,dc=example,dc=org", map[string][]string{"cn": names}}
}

// serve starts a directory with alice, who is in dev and ops, and bob.
func serve(t *testing.T) *directory {
	t.Helper()
	d := &directory{
		T:         t,
		listener:  listen(t),
		passwords: map[string]string{service: "service-password", alice: "alice-password", bob: "bob-password"},
		found: map[string][]entry{
			"(uid=alice)":            {{dn: alice}},
			"(uid=bob)":              {{dn: bob}},
			"(member=" + alice + ")": {group("ops"), group("dev")},
		},
		codes: map[string]uint16{},
	}
	d.accept(d.listener, func(c net.Conn) net.Conn { return c })
	return d
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// accept converses with whoever connects, until the end of the test.
func (d *directory) accept(l net.Listener, over func(net.Conn) net.Conn) {
	var open sync.WaitGroup
	d.Cleanup(func() { _ = l.Close(); open.Wait() })
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { d.converse(over(c)) })
		}
	})
}

func (d *directory) url() string { return "ldap://" + d.listener.Addr().String() }

// change changes the directory while it is served.
func (d *directory) change(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
}

// took returns what has been asked since the last call.
func (d *directory) took() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := d.asked
	d.asked = nil
	return asked
}

func (d *directory) connections() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.conns
}

func (d *directory) converse(c net.Conn) {
	defer func() { c.Close() }()
	d.change(func() { d.conns++ })
	for {
		p, err := ber.ReadPacket(c)
		if err != nil || len(p.Children) < 2 {
			return
		}
		id, _ := p.Children[0].Value.(int64)
		op := p.Children[1]
		switch op.Tag {
		case ldap.ApplicationBindRequest:
			d.bind(c, id, op)
		case ldap.ApplicationSearchRequest:
			d.search(c, id, op)
		case ldap.ApplicationExtendedRequest:
			d.change(func() { d.asked = append(d.asked, "starttls") })
			if d.tls == nil {
				respond(c, id, ldap.ApplicationExtendedResponse, ldap.LDAPResultProtocolError)
				continue
			}
			respond(c, id, ldap.ApplicationExtendedResponse, ldap.LDAPResultSuccess)
			c = tls.Server(c, d.tls)
		default:
			return
		}
	}
}

func (d *directory) bind(c net.Conn, id int64, op *ber.Packet) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dn, password := op.Children[1].Value.(string), op.Children[2].Data.String()
	d.asked = append(d.asked, "bind "+dn)
	if d.answer != nil && d.answer(c, id) {
		return
	}
	code, set := d.codes[dn]
	if !set && password != "" && (d.passwords[dn] == "" || d.passwords[dn] != password) {
		code = ldap.LDAPResultInvalidCredentials
	}
	respond(c, id, ldap.ApplicationBindResponse, code)
}

func (d *directory) search(c net.Conn, id int64, op *ber.Packet) {
	d.mu.Lock()
	defer d.mu.Unlock()
	filter, err := ldap.DecompileFilter(op.Children[6])
	if err != nil {
		d.Errorf("a search with a filter that is none: %v", err)
	}
	d.asked = append(d.asked, "search "+filter)
	if d.answer != nil && d.answer(c, id) {
		return
	}
	code := d.codes[filter]
	entries := d.found[filter]
	if limit, _ := op.Children[3].Value.(int64); limit > 0 && int64(len(entries)) > limit {
		entries, code = entries[:limit], ldap.LDAPResultSizeLimitExceeded
	}
	for _, e := range entries {
		_ = send(c, id, e.packet())
	}
	respond(c, id, ldap.ApplicationSearchResultDone, code)
}

func (e entry) packet() *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	p.AppendChild(text(e.dn))
	attributes := ber.NewSequence("")
	for name, values := range e.values {
		a, set := ber.NewSequence(""), ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for _, v := range values {
			set.AppendChild(text(v))
		}
		a.AppendChild(text(name))
		a.AppendChild(set)
		attributes.AppendChild(a)
	}
	p.AppendChild(attributes)
	return p
}

func text(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

func respond(c net.Conn, id int64, tag ber.Tag, code uint16) {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, uint64(code), ""))
	p.AppendChild(text(""))
	p.AppendChild(text("a word from the directory"))
	_ = send(c, id, p)
}

// send fails if the client is gone.
func send(c io.Writer, id int64, op *ber.Packet) error {
	p := ber.NewSequence("")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	p.AppendChild(op)
	_, err := c.Write(p.Bytes())
	return err
}

// certify gives the directory a certificate for a host, and returns the PEM of
// who signed it.
func (d *directory) certify(host string) []byte {
	d.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		d.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		d.Fatal(err)
	}
	d.tls = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// ldaps serves TLS from the first byte on another port, and returns its
// address.
func (d *directory) ldaps() string {
	l := listen(d.T)
	d.accept(l, func(c net.Conn) net.Conn { return tls.Server(c, d.tls) })
	return l.Addr().String()
}
