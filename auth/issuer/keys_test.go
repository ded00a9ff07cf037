package issuer

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth/internal/jwk"
	"github.com/berth-registry/berth/auth/internal/reason"
)

// The examples of RFC 8037, A.2, and RFC 7517, A.1.
const (
	edJWK = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"%s}`
	ecJWK = `{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"%s}`
	rsJWK = `{"kty":"RSA","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"%s}`
)

func jwks(keys ...string) []byte { return []byte(`{"keys":[` + strings.Join(keys, ",") + `]}`) }

// Which algorithms a key is for; none means that it is left out.
func TestParseJWKS(t *testing.T) {
	rs := []string{"RS256", "RS384", "RS512"}
	for _, tc := range []struct {
		key, more string
		want      []string
	}{
		{edJWK, ``, []string{"EdDSA"}},
		{edJWK, `,"alg":"EdDSA","use":"sig","key_ops":["verify"]`, []string{"EdDSA"}},
		{edJWK, `,"alg":"Ed25519"`, []string{"EdDSA"}},
		{edJWK, `,"alg":"HS256"`, nil},
		{ecJWK, ``, []string{"ES256"}},
		{ecJWK, `,"alg":"ES384"`, nil},
		{ecJWK, `,"alg":"ECDH-ES"`, nil},
		{rsJWK, ``, rs},
		{rsJWK, `,"alg":"RS384"`, []string{"RS384"}},
		{rsJWK, `,"alg":"PS256"`, nil},
		{rsJWK, `,"alg":"RSA-OAEP-256","use":"enc"`, nil},
		{rsJWK, `,"use":"enc"`, nil},
		{rsJWK, `,"key_ops":["encrypt"]`, nil},
		{rsJWK, `,"key_ops":[]`, nil},
		{rsJWK, `,"key_ops":["sign","verify"]`, rs},
		{rsJWK, `,"d":"AQAB"`, nil},
		{rsJWK, `,"kid":7`, nil},
		{rsJWK, `,"x5c":["!"],"x5t":"zz","x5u":"://","ext":true`, rs},
		{`{"kty":"oct","k":"c2VjcmV0"%s}`, `,"alg":"HS256"`, nil},
		{`{"kty":"EC","crv":"secp256k1"%s}`, ``, nil},
		{`{"kty":"AKP"%s}`, ``, nil},
		{`[]%s`, ``, nil},
		{`"key"%s`, ``, nil},
		{`null%s`, ``, nil},
		{`{}%s`, ``, nil},
	} {
		text := fmt.Sprintf(tc.key, tc.more)
		set, err := parseKeys(jwks(fmt.Sprintf(edJWK, `,"kid":"good"`), text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var got []string
		if len(set.keys) > 1 {
			got = set.keys[1].algorithms
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", text, got, tc.want)
		}
		if _, err := parseKeys(jwks(text)); (err == nil) != (tc.want != nil) {
			t.Errorf("%s alone: %v", text, err)
		}
	}
}

func TestParseKeysRefused(t *testing.T) {
	good := fmt.Sprintf(edJWK, "")
	many := slices.Repeat([]string{good}, maxKeys)
	if set, err := parseKeys(jwks(many...)); err != nil || len(set.keys) != maxKeys {
		t.Errorf("%d keys: %v", maxKeys, err)
	}
	short := fmt.Sprintf(`{"kty":"RSA","e":"AQAB","n":%q}`, base64.RawURLEncoding.EncodeToString(append([]byte{0xff}, make([]byte, 127)...)))
	for name, data := range map[string][]byte{
		"nothing": nil, "an empty object": []byte(`{}`), "no keys": jwks(), "null": []byte(`{"keys":null}`), "an object of keys": []byte(`{"keys":{}}`),
		"a list": []byte(`[` + good + `]`), "one key": []byte(good), "cut": jwks(good)[:50], "two documents": append(jwks(good), jwks(good)...),
		"too many": jwks(append(many, good)...), "RSA of 1024 bits": jwks(short), "HTML": []byte("<html>"), "deep": bytes.Repeat([]byte(`{"keys":`), 50_000),
	} {
		if set, err := parseKeys(data); err == nil {
			t.Errorf("%s: %d keys", name, len(set.keys))
		}
	}
}

func TestFind(t *testing.T) {
	rs1, rs2 := fmt.Sprintf(rsJWK, `,"kid":"one"`), fmt.Sprintf(rsJWK, `,"kid":"two"`)
	ec, ed, edNoID := fmt.Sprintf(ecJWK, `,"kid":"one"`), fmt.Sprintf(edJWK, `,"kid":"ed"`), fmt.Sprintf(edJWK, ``)
	for _, tc := range []struct {
		name, id, algorithm string
		keys                []string
		want                error
	}{
		{"by its id", "one", "RS256", []string{rs1, rs2}, nil},
		{"by id and algorithm", "one", "ES256", []string{rs1, ec}, nil},
		{"two of one id", "one", "RS512", []string{rs1, rs1, ec}, nil},
		{"another algorithm", "two", "ES256", []string{rs2, ec}, reason.ErrAlgorithm},
		{"another id", "three", "RS256", []string{rs1, rs2}, reason.ErrUnknownKey},
		{"another id, one key", "three", "RS256", []string{rs1}, reason.ErrUnknownKey},
		{"no id, one fits", "", "EdDSA", []string{rs1, rs2, ed}, nil},
		{"no id, two fit", "", "RS256", []string{rs1, rs2, ed}, reason.ErrUnknownKey},
		{"no id, none fits", "", "ES384", []string{rs1, ec}, reason.ErrUnknownKey},
		{"the key has no id", "x", "EdDSA", []string{rs1, edNoID}, nil},
		{"two keys have no id", "x", "EdDSA", []string{edNoID, edNoID}, reason.ErrUnknownKey},
		{"the id goes first", "ed", "EdDSA", []string{edNoID, ed}, nil},
	} {
		set, err := parseKeys(jwks(tc.keys...))
		if err != nil {
			t.Fatal(err)
		}
		if key, err := set.find(tc.id, tc.algorithm); !errors.Is(err, tc.want) || (key == nil) != (tc.want != nil) {
			t.Errorf("%s: %v %v, want %v", tc.name, key, err, tc.want)
		}
	}
	if _, err := (*keySet)(nil).find("one", "RS256"); !errors.Is(err, errNoKeys) {
		t.Errorf("no set: %v", err)
	}
}

func TestParsePEM(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	bundle := slices.Concat([]byte("# two keys\n"), certificate(t, ec), publicPEM(t, ed.Public()), publicPEM(t, p521.Public()))
	set, err := parseKeys(bundle)
	if err != nil || len(set.keys) != 2 {
		t.Fatal(len(set.keys), err)
	}
	m, err := jwk.Of(ec.Public())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{m.Thumbprint(), idsOf(ec.Public())[1], "", "anything"} {
		if key, err := set.find(id, "ES256"); err != nil || key == nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	private, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"a private key":        append(slices.Clone(bundle), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...),
		"a broken key":         pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("x")}),
		"a broken certificate": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}),
		"of no use":            publicPEM(t, p521.Public()),
		"too many":             bytes.Repeat(publicPEM(t, ed.Public()), maxKeys+1),
	} {
		if set, err := parseKeys(data); err == nil {
			t.Errorf("%s: %d keys", name, len(set.keys))
		}
	}
}

func certificate(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "token server"}, NotAfter: time.Unix(1, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func publicPEM(t *testing.T, public crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// The keys of RFC 7517, A.1, and the ids that libtrust gives them.
func TestIDs(t *testing.T) {
	for key, want := range map[string]string{
		ecJWK: "KG4U:JTP2:KRGU:YMTT:VJV7:GUDC:LJ65:KO53:NJYX:EMTU:6U4L:DGRA",
		rsJWK: "VUZD:EDHW:YWLN:RBFQ:KOA3:UVZ2:XKG5:2V2J:WTPI:6SRD:U6PZ:VCO5",
	} {
		set, err := parseKeys(jwks(fmt.Sprintf(key, "")))
		if err != nil {
			t.Fatal(err)
		}
		if ids := idsOf(set.keys[0].public); len(ids) != 2 || ids[1] != want {
			t.Errorf("%v, want %s", ids, want)
		}
	}
}

// FuzzKeys checks that whatever is read as keys can verify by the algorithms
// that it is for, and only by those.
func FuzzKeys(f *testing.F) {
	for _, key := range []string{edJWK, ecJWK, rsJWK, `{"kty":"oct","k":"c2VjcmV0"%s}`} {
		f.Add(jwks(fmt.Sprintf(key, `,"kid":"a"`)))
		f.Add(jwks(fmt.Sprintf(key, `,"alg":"RS256","use":"sig"`), fmt.Sprintf(key, `,"d":"AA"`)))
	}
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`))
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"))
	f.Add([]byte("{"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := parseKeys(data)
		if err != nil {
			return
		}
		if len(set.keys) == 0 || len(set.keys) > maxKeys {
			t.Fatalf("%d keys", len(set.keys))
		}
		for _, k := range set.keys {
			if len(k.algorithms) == 0 || k.named && len(k.ids) != 1 {
				t.Fatalf("%+v", k)
			}
			for _, a := range k.algorithms {
				if !slices.Contains(algorithmsOf(k.public), a) || !slices.Contains(algorithms, a) {
					t.Fatalf("%T for %s", k.public, a)
				}
			}
			if r, is := k.public.(*rsa.PublicKey); is && (r.N.BitLen() < minRSA || r.E < 3) {
				t.Fatal("a weak key")
			}
		}
		var document map[string]json.RawMessage
		if json.Unmarshal(data, &document) == nil && bytes.Contains(document["keys"], []byte(`"oct"`)) && len(set.keys) == 0 {
			t.Fatal("a secret is a key")
		}
	})
}
