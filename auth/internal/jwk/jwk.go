// Package jwk writes and reads public keys as JSON Web Keys: what this registry
// publishes of its own keys, and what outside issuers publish of theirs.
//
//	crypto.PublicKey ── Of ──▶ Members ── Thumbprint ──▶ kid
//	                 ◀─ PublicKey ─┘
//
// It says nothing about what a key may be used for or how long it must be.
package jwk

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

// Members are the required members of a JSON Web Key, in the order of their
// names, which RFC 7638 section 3.2 asks for.
type Members struct {
	Curve    string `json:"crv,omitempty"`
	Exponent string `json:"e,omitempty"`
	Type     string `json:"kty"`
	Modulus  string `json:"n,omitempty"`
	X        string `json:"x,omitempty"`
	Y        string `json:"y,omitempty"`
}

// Key is a JSON Web Key as it is published.
type Key struct {
	Members
	ID        string `json:"kid"`
	Algorithm string `json:"alg"`
	Use       string `json:"use"`
}

// Set is a JWK Set (RFC 7517, section 5).
type Set struct {
	Keys []Key `json:"keys"`
}

// Of describes a public key (RFC 7518, section 6; RFC 8037, section 2). The
// coordinates of a curve have all their bytes, also leading zeros: with a
// shorter one the thumbprint of one key in 128 is another than everybody
// else's.
func Of(public crypto.PublicKey) (Members, error) {
	switch k := public.(type) {
	case ed25519.PublicKey:
		return Members{Type: "OKP", Curve: "Ed25519", X: encode(k)}, nil
	case *ecdsa.PublicKey:
		point, err := k.Bytes() // 4, x, y
		if err != nil {
			return Members{}, err
		}
		xy := point[1:]
		half := len(xy) / 2
		return Members{Type: "EC", Curve: k.Curve.Params().Name, X: encode(xy[:half]), Y: encode(xy[half:])}, nil
	case *rsa.PublicKey:
		e := big.NewInt(int64(k.E))
		return Members{Type: "RSA", Modulus: encode(k.N.Bytes()), Exponent: encode(e.Bytes())}, nil
	}
	return Members{}, fmt.Errorf("a %T has no JSON Web Key here", public)
}

// Thumbprint is RFC 7638: the base64 of the SHA-256 of the members.
func (m Members) Thumbprint() string {
	data, _ := json.Marshal(m) // strings, which cannot fail
	sum := sha256.Sum256(data)
	return encode(sum[:])
}

var (
	errType   = errors.New("the key is none of Ed25519, P-256, P-384 and RSA")
	errMember = errors.New("a member of the key is missing, too long or no base64")
)

// PublicKey is the reverse of Of, for Ed25519, P-256, P-384 and RSA. A point
// that is not on its curve is an error, and so is an exponent that is even,
// below 3 or above 31 bits.
func (m Members) PublicKey() (crypto.PublicKey, error) {
	switch m.Type + " " + m.Curve {
	case "OKP Ed25519":
		x, err := decode(m.X, ed25519.PublicKeySize)
		if err != nil || len(x) != ed25519.PublicKeySize {
			return nil, errMember
		}
		return ed25519.PublicKey(x), nil
	case "EC P-256":
		return m.point(elliptic.P256())
	case "EC P-384":
		return m.point(elliptic.P384())
	case "RSA ":
		return m.rsa()
	}
	return nil, errType
}

// point accepts coordinates whose leading zeros were left out: whoever wrote
// them got the thumbprint wrong, but not the key.
func (m Members) point(curve elliptic.Curve) (*ecdsa.PublicKey, error) {
	size := (curve.Params().BitSize + 7) / 8
	x, errX := decode(m.X, size)
	y, errY := decode(m.Y, size)
	if errX != nil || errY != nil {
		return nil, errMember
	}
	point := make([]byte, 1+2*size)
	point[0] = 4 // uncompressed (SEC 1, section 2.3.3)
	copy(point[1+size-len(x):], x)
	copy(point[1+2*size-len(y):], y)
	return ecdsa.ParseUncompressedPublicKey(curve, point)
}

// maxRSA is the greatest size of an RSA key, in bytes: the time that it takes
// to verify grows with its square.
const maxRSA = 8192 / 8

func (m Members) rsa() (*rsa.PublicKey, error) {
	n, err := decode(m.Modulus, maxRSA+1) // one leading zero byte, as some write it
	if err != nil {
		return nil, err
	}
	e, err := decode(m.Exponent, 4)
	if err != nil {
		return nil, err
	}
	k := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	if k.E < 3 || k.E%2 == 0 || k.E > 1<<31-1 || k.N.BitLen() > 8*maxRSA {
		return nil, errMember
	}
	return k, nil
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// decode reads 1 to most bytes of base64.
func decode(text string, most int) ([]byte, error) {
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(data) == 0 || len(data) > most {
		return nil, errMember
	}
	return data, nil
}
