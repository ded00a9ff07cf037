package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
)

// members are the required members of a JSON Web Key, in the order of their
// names, which RFC 7638 section 3.2 asks for.
type members struct {
	Curve    string `json:"crv,omitempty"`
	Exponent string `json:"e,omitempty"`
	Type     string `json:"kty"`
	Modulus  string `json:"n,omitempty"`
	X        string `json:"x,omitempty"`
	Y        string `json:"y,omitempty"`
}

// publicKey is a JSON Web Key as it is published.
type publicKey struct {
	members
	ID        string `json:"kid"`
	Algorithm string `json:"alg"`
	Use       string `json:"use"`
}

// keySet is a JWK Set (RFC 7517, section 5).
type keySet struct {
	Keys []publicKey `json:"keys"`
}

// membersOf describes a public key (RFC 7518, section 6; RFC 8037, section 2).
// The coordinates of a curve have all their bytes, also leading zeros: with a
// shorter one the thumbprint of one key in 128 is another than everybody
// else's.
func membersOf(public crypto.PublicKey) (members, error) {
	switch k := public.(type) {
	case ed25519.PublicKey:
		return members{Type: "OKP", Curve: "Ed25519", X: encode(k)}, nil
	case *ecdsa.PublicKey:
		point, err := k.Bytes() // 4, x, y
		if err != nil {
			return members{}, err
		}
		xy := point[1:]
		half := len(xy) / 2
		return members{Type: "EC", Curve: k.Curve.Params().Name, X: encode(xy[:half]), Y: encode(xy[half:])}, nil
	case *rsa.PublicKey:
		e := big.NewInt(int64(k.E))
		return members{Type: "RSA", Modulus: encode(k.N.Bytes()), Exponent: encode(e.Bytes())}, nil
	}
	return members{}, fmt.Errorf("a %T has no JSON Web Key here", public)
}

// thumbprint is RFC 7638: the SHA-256 of the required members.
func (m members) thumbprint() string {
	sum := sha256.Sum256(marshal(m))
	return encode(sum[:])
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
