package registry

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/berth-registry/berth/oci"
)

// entries makes descriptors, a letter each. Those from the tag are annotated.
func entries(letters, source string) []oci.Descriptor {
	var list []oci.Descriptor
	for _, l := range strings.Split(letters, "") {
		if l != "" {
			list = append(list, oci.Descriptor{Digest: oci.Digest(l), MediaType: source})
		}
	}
	return list
}

func sequence(list []oci.Descriptor, end error) iter.Seq2[oci.Descriptor, error] {
	return func(yield func(oci.Descriptor, error) bool) {
		for _, d := range list {
			if !yield(d, nil) {
				return
			}
		}
		if end != nil {
			yield(oci.Descriptor{}, end)
		}
	}
}

// TestMerge: two sorted lists become one, each entry once, the stored one
// where both have it.
func TestMerge(t *testing.T) {
	for _, test := range []struct{ stored, tagged, want string }{
		{"", "", ""},
		{"abc", "", "ABC"},
		{"", "abc", "abc"},
		{"ac", "b", "AbC"},
		{"b", "ac", "aBc"},
		{"abc", "abc", "ABC"},
		{"bd", "abcde", "aBcDe"},
		{"yz", "abc", "abcYZ"},
		{"abc", "yz", "ABCyz"},
	} {
		for most := range len(test.want) + 1 { // the consumer may break off at any time
			var got strings.Builder
			visit := func(d oci.Descriptor, err error) bool {
				if err != nil {
					t.Fatal(err)
				}
				name := string(d.Digest)
				if d.MediaType == "stored" {
					name = strings.ToUpper(name)
				}
				got.WriteString(name)
				return got.Len() < most
			}
			merge(sequence(entries(test.stored, "stored"), nil), entries(test.tagged, "tagged"), visit)
			if want := test.want[:min(max(most, 1), len(test.want))]; got.String() != want {
				t.Errorf("%q and %q up to %d: %q, want %q", test.stored, test.tagged, most, got.String(), want)
			}
		}
	}
}

// TestMergeFails ends with the error of the stored ones: half a list would
// pass for a whole.
func TestMergeFails(t *testing.T) {
	want := errors.New("disk")
	var seen []string
	var end error
	merge(sequence(entries("ac", "stored"), want), entries("bz", "tagged"), func(d oci.Descriptor, err error) bool {
		seen, end = append(seen, string(d.Digest)), err
		return err == nil
	})
	if !errors.Is(end, want) || !slices.Equal(seen, []string{"a", "b", "c", ""}) {
		t.Errorf("%q, %v", seen, end)
	}
}

func TestFallbackTag(t *testing.T) {
	short := oci.FromBytes(oci.SHA256, []byte("x"))
	long := oci.FromBytes(oci.SHA512, []byte("x"))
	for d, want := range map[oci.Digest]string{short: "sha256-" + short.Hex(), long: "sha512-" + long.Hex()[:64]} {
		got := fallbackTag(d)
		if got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
		if _, err := oci.ParseTag(got); err != nil {
			t.Error(err)
		}
	}
}

// TestCounted never hands on more than it may, and remembers whose fault a
// failure was.
func TestCounted(t *testing.T) {
	broken := errors.New("connection reset")
	for _, test := range []struct {
		body  string
		end   error
		left  int64
		taken int64
		err   error
	}{
		{"", nil, 0, 0, nil},
		{"12345", nil, 5, 5, nil},
		{"1234", nil, 5, 4, nil},
		{"123456", nil, 5, 5, oci.ErrTooLarge},
		{"x", nil, 0, 0, oci.ErrTooLarge},
		{"123", broken, 5, 3, broken},
		{"", broken, 0, 0, broken},
	} {
		for _, step := range []int64{1, 2, 512} {
			in := &counted{r: &failing{strings.NewReader(test.body), test.end}, left: test.left, full: oci.ErrTooLarge}
			n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, in, make([]byte, step))
			if n != test.taken || !errors.Is(err, test.err) || (test.err != nil) != (in.err != nil) {
				t.Errorf("%q, %d left, by %d: %d, %v (remembered %v)", test.body, test.left, step, n, err, in.err)
			}
			read := (*ReadError)(nil)
			if errors.As(in.err, &read) != errors.Is(test.err, broken) {
				t.Errorf("%q: %v", test.body, in.err)
			}
		}
	}
}

// failing is a reader that ends with an error.
type failing struct {
	io.Reader
	end error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF && f.end != nil {
		err = f.end
	}
	return n, err
}

func TestListForPeople(t *testing.T) {
	var digests []oci.Digest
	for i := range 23 {
		digests = append(digests, oci.Digest(fmt.Sprint("d", i)))
	}
	if got := list(digests); !strings.HasSuffix(got, "d19, and 3 more") {
		t.Error(got)
	}
	if got := list(digests[:2]); got != "d0, d1" {
		t.Error(got)
	}
}
