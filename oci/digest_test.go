package oci

import (
	"errors"
	"strings"
	"testing"
)

const (
	emptySHA256 = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	emptySHA512 = "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
)

func TestParseDigest(t *testing.T) {
	for _, good := range []string{emptySHA256, emptySHA512} {
		d, err := ParseDigest(good)
		if err != nil || string(d) != good {
			t.Errorf("ParseDigest(%q) = %q, %v", good, d, err)
		}
		if string(d.Algorithm())+":"+d.Hex() != good {
			t.Errorf("%q falls into %q and %q", good, d.Algorithm(), d.Hex())
		}
	}
	hex := emptySHA256[7:]
	for _, bad := range []string{
		"", ":", "sha256", "sha256:", "sha256:abc", "sha256:" + hex[1:], "sha256:" + hex + "0", "sha256:" + strings.ToUpper(hex),
		"SHA256:" + hex, "md5:d41d8cd98f00b204e9800998ecf8427e", "sha512:" + hex, "sha256:" + hex[:63] + "g", " " + emptySHA256,
		"sha256:" + hex[:62] + "/.", "sha256+b64:" + hex, "sha256:../" + hex[3:],
	} {
		if _, err := ParseDigest(bad); !errors.Is(err, ErrDigestInvalid) {
			t.Errorf("ParseDigest(%q): %v, want DIGEST_INVALID", bad, err)
		}
	}
}

func TestFromBytes(t *testing.T) {
	if d := FromBytes(SHA256, nil); d != emptySHA256 {
		t.Error(d)
	}
	if d := FromBytes(SHA512, nil); d != emptySHA512 {
		t.Error(d)
	}
}
