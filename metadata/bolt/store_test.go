package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/metadata/metadatatest"
	"github.com/berth-registry/berth/oci"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("BERTH_BOLT_CHILD"); path != "" {
		child(path)
		return
	}
	os.Exit(m.Run())
}

func TestStore(t *testing.T) { metadatatest.Run(t, checked) }

func BenchmarkStore(b *testing.B) { metadatatest.Bench(b, fresh) }

func fresh(tb testing.TB) metadatatest.Opener {
	path := filepath.Join(tb.TempDir(), "data", "berth.db")
	return func() (metadata.Store, error) { return Open(path, Options{}) }
}

// checked is fresh with every rule of the tables verified whenever the suite
// closes a store.
func checked(tb testing.TB) metadatatest.Opener {
	path := filepath.Join(tb.TempDir(), "berth.db")
	return func() (metadata.Store, error) {
		s, err := Open(path, Options{})
		return &checkedStore{Store: s, tb: tb}, err
	}
}

type checkedStore struct {
	*Store
	tb testing.TB
}

func (s *checkedStore) Close() error {
	if s.Store != nil && !s.closed.Load() {
		verify(s.tb, s.Store)
	}
	return s.Store.Close()
}

var ctx = context.Background()

var now = time.Date(2026, 11, 23, 7, 30, 0, 0, time.UTC)

func open(tb testing.TB, path string) *Store {
	tb.Helper()
	s, err := Open(path, Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func openNew(tb testing.TB) *Store {
	tb.Helper()
	return open(tb, filepath.Join(tb.TempDir(), "berth.db"))
}

func ok(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func testBlob(name string) metadata.Blob {
	return metadata.Blob{Digest: oci.FromBytes(oci.SHA256, []byte(name)), Key: "key", Size: int64(len(name))}
}

// testImage is a manifest over one blob, told from others by its name.
func testImage(tb testing.TB, config, name string) *oci.Manifest {
	tb.Helper()
	b := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"c","digest":%q,"size":1},"layers":[{"mediaType":"application/x-tar","digest":%[2]q,"size":1}],"annotations":{"name":%q}}`,
		oci.MediaTypeImageManifest, testBlob(config).Digest, name)
	m, err := oci.ParseManifest("", b, oci.SHA256)
	ok(tb, err)
	return m
}

func push(tb testing.TB, s *Store, repo, config, name string) *oci.Manifest {
	tb.Helper()
	ok(tb, s.LinkBlob(ctx, repo, testBlob(config), ""))
	m := testImage(tb, config, name)
	ok(tb, s.PutManifest(ctx, repo, metadata.PutManifest{Manifest: m, Tags: []string{name}, Now: now}))
	return m
}

// TestLookupAllocations keeps the hot path from growing. Most of what remains
// is bbolt's: a transaction, and a bucket and a cursor for every table.
func TestLookupAllocations(t *testing.T) {
	s := openNew(t)
	var tags []string
	for i := range 20_000 {
		tags = append(tags, fmt.Sprintf("v%05d", i))
	}
	m := push(t, s, "library/alpine", "config", "latest")
	ok(t, s.PutManifest(ctx, "library/alpine", metadata.PutManifest{Manifest: m, Tags: tags, Now: now}))
	for _, tt := range []struct {
		name string
		max  float64
		f    func() error
	}{
		{"manifest by tag", 18, func() error {
			_, err := s.Manifest(ctx, "library/alpine", oci.Reference{Tag: "v10000"}, false)
			return err
		}},
		{"manifest with bytes", 16, func() error {
			_, err := s.Manifest(ctx, "library/alpine", oci.Reference{Digest: m.Digest}, true)
			return err
		}},
		{"blob", 20, func() error {
			_, err := s.Blob(ctx, "library/alpine", testBlob("config").Digest)
			return err
		}},
		{"blob that is absent", 10, func() error {
			if _, err := s.Blob(ctx, "library/alpine", m.Digest); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		}},
	} {
		n := testing.AllocsPerRun(1000, func() { ok(t, tt.f()) })
		t.Logf("%s: %.0f allocations", tt.name, n)
		if n > tt.max {
			t.Errorf("%s: %.0f allocations, want at most %.0f", tt.name, n, tt.max)
		}
	}
}

// A manifest that this version cannot parse any more can still be deleted.
func TestDeleteUnparseable(t *testing.T) {
	s := openNew(t)
	m := push(t, s, "a", "config", "v1")
	other := push(t, s, "a", "config", "v2")
	ok(t, s.writer.do(ctx, 0, func(c *change) error {
		o, err := findObject(c.tx, "a", m.Digest)
		if err != nil {
			return err
		}
		return c.put(tableBytes, numberKey(nil, o.number), append(appendDigest(nil, m.Digest), "not JSON"...))
	}))
	ok(t, s.DeleteManifest(ctx, "a", m.Digest))
	verify(t, s)
	ok(t, s.DeleteManifest(ctx, "a", other.Digest))
	ok(t, s.UnlinkBlob(ctx, "a", testBlob("config").Digest))
	verify(t, s)
}

func TestInvalidDigests(t *testing.T) {
	s := openNew(t)
	for _, d := range []oci.Digest{"", "sha256:", "sha256:xyz", "md5:00", oci.Digest("sha256:" + string(make([]byte, 64)))} {
		b := testBlob("x")
		b.Digest = d
		if err := s.LinkBlob(ctx, "a", b, ""); err == nil {
			t.Errorf("LinkBlob took %q", d)
		}
		m := *testImage(t, "x", "x")
		m.Digest = d
		if err := s.PutManifest(ctx, "a", metadata.PutManifest{Manifest: &m, Sparse: true}); err == nil {
			t.Errorf("PutManifest took %q", d)
		}
		if _, err := s.Blob(ctx, "a", d); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Blob(%q): %v", d, err)
		}
		for range s.Referrers(ctx, "a", d, d) {
			t.Errorf("Referrers(%q) has one", d)
		}
	}
}

// The short form of digests sorts like their text.
func TestDigestOrder(t *testing.T) {
	var last []byte
	lastText := oci.Digest("")
	for _, a := range []oci.Algorithm{oci.SHA256, oci.SHA512} {
		for _, c := range []byte("0123456789abcdef") {
			text := make([]byte, a.New().Size()*2)
			for i := range text {
				text[i] = c
			}
			d := oci.Digest(string(a) + ":" + string(text))
			short := appendDigest(nil, d)
			if (string(short) > string(last)) != (d > lastText) {
				t.Errorf("%s sorts otherwise than its short form", d)
			}
			if back, rest, found := cutDigest(append(short, "rest"...)); !found || back != d || string(rest) != "rest" {
				t.Errorf("%s comes back as %s, %q", d, back, rest)
			}
			last, lastText = short, d
		}
	}
}

// Whatever stands in a row, reading it is an error at worst.
func FuzzRecords(f *testing.F) {
	m := &oci.Manifest{Descriptor: oci.Descriptor{MediaType: "m", Digest: testBlob("x").Digest, Size: 1, Annotations: map[string]string{"k": "v"}}}
	f.Add(encodeBlob(testBlob("x")))
	f.Add(encodeObject(object{number: 300, linked: true, header: encodeHeader(m, now)}))
	f.Add(encodeHeader(m, now))
	f.Add(encodeTag(m.Digest))
	f.Add(encodeBytes(m))
	f.Add(encodeDescriptor(m.Descriptor))
	f.Add(encodeSession(metadata.Session{ID: "x", State: []byte("y")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = decodeBlob(b, "")
		_, _ = decodeObject(b)
		_, _, _ = decodeHeader(b, "")
		_, _ = decodeTag(b)
		_, _, _ = decodeBytes(b)
		_, _ = decodeDescriptor(b, "")
		_, _ = decodeSession(b)
		_, _ = decodeRow[metadata.User](b)
		_, _ = decodeRow[metadata.Robot](b)
		_, _ = decodeRow[metadata.Token](b)
		if len(b) >= 4 { // past the checksum
			_, _ = decodeSession(sealed(b))
		}
	})
}
