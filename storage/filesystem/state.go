package filesystem

import (
	"bytes"
	"crypto/rand"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"io/fs"
	"math"
	"slices"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// uploadID names an upload's file. It is random and never used again.
type uploadID [16]byte

func newID() (id uploadID) {
	rand.Read(id[:])
	return id
}

func (id uploadID) String() string { return hex.EncodeToString(id[:]) }

// parseID accepts exactly what String returns.
func parseID(s string) (id uploadID, ok bool) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, false
	}
	copy(id[:], b)
	return id, id.String() == s
}

// saved is what a storage.State says. An upload of no bytes has no file, no id
// and nothing but its algorithm.
//
//	1 version | 1 algorithm | 4 CRC-32C of the other bytes
//	1 version | 1 algorithm | 16 id | 8 size | hash state | 4 CRC-32C
//
// The hash state is what encoding.BinaryMarshaler gives: 108 bytes of SHA-256,
// 204 of SHA-512.
type saved struct {
	alg  oci.Algorithm
	id   uploadID
	size int64
	hash hash.Hash // never nil
}

const (
	stateVersion = 1
	stateHead    = 2
	stateFixed   = stateHead + 16 + 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (v saved) encode() (storage.State, error) {
	b := []byte{stateVersion, byte(slices.Index(algorithms[:], v.alg))}
	if v.size > 0 {
		sum, err := v.hash.(encoding.BinaryMarshaler).MarshalBinary()
		if err != nil {
			return nil, err
		}
		b = slices.Grow(b, stateFixed+len(sum)+crc32.Size)
		b = append(b, v.id[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(v.size))
		b = append(b, sum...)
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)), nil
}

func badState(why string) error {
	return fmt.Errorf("upload state: %w: %s", fs.ErrInvalid, why)
}

// decodeState accepts exactly what encode returns. Its error wraps
// fs.ErrInvalid.
func decodeState(state storage.State) (saved, error) {
	body := len(state) - crc32.Size
	if body < stateHead {
		return saved{}, badState("too short")
	}
	b := state[:body]
	if binary.BigEndian.Uint32(state[body:]) != crc32.Checksum(b, castagnoli) {
		return saved{}, badState("checksum")
	}
	if b[0] != stateVersion {
		return saved{}, badState(fmt.Sprintf("version %d", b[0]))
	}
	if int(b[1]) >= len(algorithms) {
		return saved{}, badState(fmt.Sprintf("algorithm %d", b[1]))
	}
	v := saved{alg: algorithms[b[1]]}
	v.hash = v.alg.New()
	if body == stateHead {
		return v, nil
	}
	return v, v.decodeBytes(b)
}

// decodeBytes reads the part that only an upload with bytes has.
func (v *saved) decodeBytes(b []byte) error {
	if len(b) <= stateFixed {
		return badState("too short")
	}
	copy(v.id[:], b[stateHead:])
	size := binary.BigEndian.Uint64(b[stateFixed-8:])
	if size == 0 || size > math.MaxInt64 {
		return badState("size")
	}
	v.size = int64(size)
	if err := v.hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(b[stateFixed:]); err != nil {
		return badState("hash: " + err.Error())
	}
	// The hash ignores what it does not need; a State has one spelling.
	again, err := v.hash.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil || !bytes.Equal(again, b[stateFixed:]) {
		return badState("hash")
	}
	return nil
}
