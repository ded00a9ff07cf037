package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/berth-registry/berth/auth/internal/jwk"
	"github.com/golang-jwt/jwt/v5"
)

// minRSA is the least size of an RSA key, in bits (RFC 7518, section 3.3).
const minRSA = 2048

const pemType = "PRIVATE KEY" // PKCS#8

// key is one key pair and what follows from it.
type key struct {
	id     string // kid: thumbprint of the public half
	method jwt.SigningMethod
	signer crypto.Signer
	public crypto.PublicKey
}

// generate makes an Ed25519 key and its PEM.
func generate() ([]byte, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), nil
}

// parseKey reads exactly one private key. No error shows any of it.
func parseKey(data []byte) (*key, error) {
	block, rest := pem.Decode(data)
	if block == nil {
		return nil, errors.New("there is no PEM block in it")
	}
	if block.Type != pemType {
		return nil, fmt.Errorf("it holds a %q, not a %q (openssl pkcs8 -topk8 -nocrypt converts)", block.Type, pemType)
	}
	if more, _ := pem.Decode(rest); more != nil {
		return nil, errors.New("there is more than one PEM block in it")
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("it holds no valid PKCS#8 key")
	}
	return newKey(private)
}

func newKey(private any) (*key, error) {
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a %T signs nothing", private)
	}
	method, err := methodOf(signer.Public())
	if err != nil {
		return nil, err
	}
	members, err := jwk.Of(signer.Public())
	if err != nil {
		return nil, err
	}
	return &key{members.Thumbprint(), method, signer, signer.Public()}, nil
}

// methodOf returns the one algorithm that a key is for.
func methodOf(public crypto.PublicKey) (jwt.SigningMethod, error) {
	switch k := public.(type) {
	case ed25519.PublicKey:
		return jwt.SigningMethodEdDSA, nil
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return nil, errors.New("an elliptic curve key must be on P-256, for ES256")
		}
		return jwt.SigningMethodES256, nil
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSA {
			return nil, fmt.Errorf("an RSA key must have at least %d bits", minRSA)
		}
		return jwt.SigningMethodRS256, nil
	}
	return nil, fmt.Errorf("a %T is none of Ed25519, P-256 and RSA", public)
}
