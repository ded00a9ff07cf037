package filesystem

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"testing"

	"github.com/berth-registry/berth/oci"
	"github.com/berth-registry/berth/storage"
)

// states returns one State of each kind.
func states(tb testing.TB) []storage.State {
	var all []storage.State
	for _, a := range algorithms {
		for _, n := range []int{0, 1, 127, 1000} {
			v := saved{alg: a, size: int64(n), hash: a.New()}
			if n > 0 {
				v.id = uploadID{1, 2, 3}
			}
			v.hash.Write(content(n, 1))
			state, err := v.encode()
			check(tb, err)
			all = append(all, state)
		}
	}
	return all
}

func TestStateRoundTrip(t *testing.T) {
	for _, state := range states(t) {
		v, err := decodeState(state)
		check(t, err)
		again, err := v.encode()
		check(t, err)
		if !bytes.Equal(state, again) {
			t.Errorf("%x is encoded again as %x", []byte(state), []byte(again))
		}
		if got, want := oci.FromHash(v.alg, v.hash), oci.FromBytes(v.alg, content(int(v.size), 1)); got != want {
			t.Errorf("the hash goes on from %s, want %s", got, want)
		}
		if len(state) > 300 {
			t.Errorf("the state has %d bytes", len(state))
		}
	}
}

// Every damaged byte is noticed, and every missing or added one.
func TestStateDamaged(t *testing.T) {
	for _, state := range states(t) {
		for i := range state {
			damaged := bytes.Clone(state)
			damaged[i] ^= 0x10
			refused(t, damaged)
			refused(t, state[:i])
		}
		refused(t, append(bytes.Clone(state), 0))
	}
}

func refused(t *testing.T, state storage.State) {
	t.Helper()
	if _, err := decodeState(state); !errors.Is(err, fs.ErrInvalid) {
		t.Fatalf("decodeState(%x) = %v, want fs.ErrInvalid", []byte(state), err)
	}
}

// What a checksum does not catch.
func TestStateSealedNonsense(t *testing.T) {
	good := states(t)[2]
	body := good[:len(good)-crc32.Size]
	edit := func(at int, b ...byte) []byte {
		p := bytes.Clone(body)
		copy(p[at:], b)
		return p
	}
	for name, p := range map[string][]byte{
		"version":       edit(0, 2),
		"algorithm":     edit(1, 9),
		"other hash":    edit(1, 1),
		"size 0":        edit(stateFixed-8, 0, 0, 0, 0, 0, 0, 0, 0),
		"size negative": edit(stateFixed-8, 0xff),
		"hash magic":    edit(stateFixed, 'x'),
		"hash padding":  edit(stateFixed+len("sha\x03")+32+63, 1),
		"no hash":       body[:stateFixed],
		"short hash":    body[:stateFixed+20],
		"only an id":    body[:stateHead+16],
	} {
		t.Run(name, func(t *testing.T) { refused(t, seal(p)) })
	}
}

func seal(body []byte) storage.State {
	return binary.BigEndian.AppendUint32(bytes.Clone(body), crc32.Checksum(body, castagnoli))
}

func FuzzState(f *testing.F) {
	for _, state := range states(f) {
		f.Add([]byte(state), false)
		f.Add([]byte(state[:len(state)-crc32.Size]), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, sealed bool) {
		if sealed {
			b = seal(b)
		}
		v, err := decodeState(b)
		if err != nil {
			if !errors.Is(err, fs.ErrInvalid) {
				t.Fatalf("error %v", err)
			}
			return
		}
		again, err := v.encode()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x decodes and encodes to %x, %v", b, []byte(again), err)
		}
	})
}
