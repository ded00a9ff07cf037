package jwk

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
)

const (
	rfcModulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs" +
		"tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbI" +
		"SD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
	rfcEd = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
)

// The examples of RFC 7638, section 3.1, and RFC 8037, appendix A.3.
func TestThumbprintExamples(t *testing.T) {
	for want, m := range map[string]Members{
		"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs": {Type: "RSA", Modulus: rfcModulus, Exponent: "AQAB"},
		"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k": {Type: "OKP", Curve: "Ed25519", X: rfcEd},
	} {
		key, err := m.PublicKey()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Of(key)
		if err != nil || again != m || again.Thumbprint() != want {
			t.Errorf("%T: %+v %s %v, want %s", key, again, again.Thumbprint(), err, want)
		}
	}
}

type equaler interface{ Equal(crypto.PublicKey) bool }

// Every key is read as it was written, also one of the 1 in 128 whose
// coordinate begins with a zero byte, and also where that byte was left out.
func TestBack(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys := []crypto.PublicKey{ed.Public(), rsaKey.Public()}
	short := 0
	for n := 0; n < 20 || short < 2; n++ {
		curve := []elliptic.Curve{elliptic.P256(), elliptic.P384()}[n%2]
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key.Public())
		if m, err := Of(key.Public()); err == nil && m.shorter() != m {
			short++
		}
	}
	for _, key := range keys {
		m, err := Of(key)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []Members{m, m.shorter()} {
			if back, err := m.PublicKey(); err != nil || !back.(equaler).Equal(key) {
				t.Errorf("%+v: %v %v", m, back, err)
			}
		}
	}
}

// shorter leaves the zeros before x out.
func (m Members) shorter() Members {
	if x, err := decode(m.X, 48); err == nil && m.Type == "EC" {
		m.X = encode(bytes.TrimLeft(x, "\x00"))
	}
	return m
}

func TestRefused(t *testing.T) {
	const x, y = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" // RFC 7517, A.1
	ec := Members{Type: "EC", Curve: "P-256", X: x, Y: y}
	rs := Members{Type: "RSA", Modulus: rfcModulus, Exponent: "AQAB"}
	ed := Members{Type: "OKP", Curve: "Ed25519", X: rfcEd}
	for _, m := range []Members{ec, rs, ed} {
		if _, err := m.PublicKey(); err != nil {
			t.Fatal(err)
		}
	}
	for name, m := range map[string]Members{
		"nothing":             {},
		"a secret":            {Type: "oct"},
		"another curve":       {Type: "EC", Curve: "secp256k1", X: x, Y: y},
		"P-521":               {Type: "EC", Curve: "P-521", X: x, Y: y},
		"X25519":              {Type: "OKP", Curve: "X25519", X: rfcEd},
		"RSA on a curve":      {Type: "RSA", Curve: "P-256", Modulus: rfcModulus, Exponent: "AQAB"},
		"off the curve":       {Type: "EC", Curve: "P-256", X: y, Y: x},
		"infinity":            {Type: "EC", Curve: "P-256", X: "AA", Y: "AA"},
		"no y":                {Type: "EC", Curve: "P-256", X: x},
		"y too long":          {Type: "EC", Curve: "P-256", X: x, Y: "AAAA" + y},
		"x of another length": {Type: "OKP", Curve: "Ed25519", X: rfcEd[:40]},
		"padding":             {Type: "OKP", Curve: "Ed25519", X: rfcEd + "="},
		"other base64":        {Type: "RSA", Modulus: strings.ReplaceAll(rfcModulus, "_", "/"), Exponent: "AQAB"},
		"e is 1":              {Type: "RSA", Modulus: rfcModulus, Exponent: "AQ"},
		"e is even":           {Type: "RSA", Modulus: rfcModulus, Exponent: "AQAA"},
		"e is zero":           {Type: "RSA", Modulus: rfcModulus, Exponent: "AA"},
		"e is huge":           {Type: "RSA", Modulus: rfcModulus, Exponent: "AQAAAAAAAAAB"},
		"e of 32 bits":        {Type: "RSA", Modulus: rfcModulus, Exponent: "_____w"},
		"no n":                {Type: "RSA", Exponent: "AQAB"},
		"n is huge":           {Type: "RSA", Modulus: strings.Repeat("_", 10_000), Exponent: "AQAB"},
	} {
		if key, err := m.PublicKey(); err == nil {
			t.Errorf("%s: %T", name, key)
		}
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := Of(p521); err == nil { // a private one
		t.Errorf("%+v", m)
	}
}

// FuzzMembers checks that what can be read is written the same way again, but
// for zeros in front.
func FuzzMembers(f *testing.F) {
	f.Add(`{"kty":"RSA","n":"` + rfcModulus + `","e":"AQAB"}`)
	f.Add(`{"kty":"OKP","crv":"Ed25519","x":"` + rfcEd + `"}`)
	f.Add(`{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}`)
	f.Add(`{"kty":"EC","crv":"P-384","x":"","y":"AA"}`)
	f.Add(`{"kty":"oct","k":"c2VjcmV0"}`)
	f.Fuzz(func(t *testing.T, text string) {
		var m Members
		if json.Unmarshal([]byte(text), &m) != nil {
			return
		}
		key, err := m.PublicKey()
		if err != nil {
			return
		}
		again, err := Of(key)
		if err != nil {
			t.Fatalf("%s: read, but %v", text, err)
		}
		for _, pair := range [][2]string{{m.X, again.X}, {m.Y, again.Y}, {m.Modulus, again.Modulus}, {m.Exponent, again.Exponent}} {
			if pair[1] != "" && number(pair[0]).Cmp(number(pair[1])) != 0 {
				t.Errorf("%s became %+v", text, again)
			}
		}
	})
}

func number(text string) *big.Int {
	data, _ := decode(text, maxRSA+1)
	return new(big.Int).SetBytes(data)
}
