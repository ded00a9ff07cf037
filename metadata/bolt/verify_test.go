package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/berth-registry/berth/oci"
)

// verify holds the whole database against the rules between its tables.
func verify(tb testing.TB, s *Store) {
	tb.Helper()
	err := s.db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			tb.Errorf("bbolt: %v", err)
		}
		v := verifier{tb, tx, map[uint64]place{}}
		v.each(tableObjects, v.object)
		v.each(tableBacklinks, v.backlink)
		v.each(tableBytes, v.bytes)
		v.each(tableEdges, v.edge)
		v.each(tableTags, v.tag)
		v.each(tableNames, v.name)
		v.each(tableReferrers, v.referrer)
		v.edgesOf()
		return nil
	})
	if err != nil {
		tb.Error(err)
	}
}

type verifier struct {
	testing.TB
	tx      *bbolt.Tx
	numbers map[uint64]place
}

// place is where a number belongs.
type place struct {
	repo   string
	digest oci.Digest
	object object
}

func (v *verifier) each(table string, f func(k, value []byte)) {
	_ = v.tx.Bucket([]byte(table)).ForEach(func(k, value []byte) error { f(k, value); return nil })
}

func (v *verifier) want(cond bool, format string, args ...any) {
	if !cond {
		v.Errorf("the database breaks a rule: "+format, args...)
	}
}

func (v *verifier) split(k []byte) (string, oci.Digest, []byte) {
	repo, rest, _ := strings.Cut(string(k), "\x00")
	d, tail, found := cutDigest([]byte(rest))
	v.want(found, "key %q has no digest", k)
	return repo, d, tail
}

func (v *verifier) object(k, value []byte) {
	repo, d, tail := v.split(k)
	o, err := decodeObject(value)
	v.want(err == nil && len(tail) == 0, "object %q: %v", k, err)
	v.want(v.numbers[o.number].repo == "", "number %d twice", o.number)
	v.numbers[o.number] = place{repo, d, o}
	v.want(has(v.tx, tableRepositories, []byte(repo)), "object of no repository %q", repo)
	v.want(o.linked || o.header != nil || mentioned(v.tx, o.number), "object %s %s is nothing", repo, d)
	v.want(o.linked == has(v.tx, tableBacklinks, digestRepoKey(nil, d, repo)), "%s %s: link without backlink", repo, d)
	v.want(!o.linked || has(v.tx, tableBlobs, appendDigest(nil, d)), "%s %s: link without blob", repo, d)
	v.want((o.header != nil) == has(v.tx, tableBytes, numberKey(nil, o.number)), "%s %s: header without bytes", repo, d)
	if o.header != nil {
		_, subject, err := decodeHeader(o.header, d)
		key := appendDigest(append(repoKey(nil, repo), subject...), d)
		v.want(err == nil && (len(subject) == 0 || has(v.tx, tableReferrers, key)), "%s %s: subject without referrer: %v", repo, d, err)
	}
}

func (v *verifier) backlink(k, _ []byte) {
	d, repo, _ := cutDigest(k)
	o, err := findObject(v.tx, string(repo), d)
	v.want(err == nil && o.linked, "backlink %s %s without link", d, repo)
}

func (v *verifier) bytes(k, value []byte) {
	p := v.numbers[binary.BigEndian.Uint64(k)]
	d, body, err := decodeBytes(value)
	v.want(err == nil && p.object.header != nil && p.digest == d, "bytes %x of no manifest", k)
	m, _, err := decodeHeader(p.object.header, d)
	v.want(err == nil && m.Size == int64(len(body)), "%s has %d bytes: %v", d, len(body), err)
}

func (v *verifier) edge(k, value []byte) {
	child, parent := v.numbers[binary.BigEndian.Uint64(k)], v.numbers[binary.BigEndian.Uint64(k[8:])]
	v.want(child.repo != "" && child.repo == parent.repo, "edge %x leads out of its repository", k)
	v.want(parent.object.header != nil, "edge %x of no manifest", k)
	v.want(len(value) == 1, "edge %x is %x", k, value)
}

func (v *verifier) tag(k, value []byte) {
	repo, tag, _ := strings.Cut(string(k), "\x00")
	d, err := decodeTag(value)
	v.want(err == nil, "tag %q: %v", k, err)
	o, err := findObject(v.tx, repo, d)
	v.want(err == nil && o.header != nil, "tag %q of no manifest", k)
	v.want(has(v.tx, tableNames, nameKey(nil, o.number, tag)), "tag %q without name", k)
}

func (v *verifier) name(k, _ []byte) {
	p := v.numbers[binary.BigEndian.Uint64(k)]
	d, err := taggedDigest(v.tx, p.repo, string(k[8:]))
	v.want(err == nil && d == p.digest, "name %q without tag: %v", k, err)
}

func (v *verifier) referrer(k, _ []byte) {
	repo, subject, rest := v.split(k)
	d, _, _ := cutDigest(rest)
	o, err := findObject(v.tx, repo, d)
	v.want(err == nil && o.header != nil, "referrer %s of no manifest", d)
	if o.header != nil {
		_, has, err := decodeHeader(o.header, d)
		v.want(err == nil && bytes.Equal(has, appendDigest(nil, subject)), "referrer %s of another subject", d)
	}
}

// edgesOf expects the edges that the manifests say, and no more.
func (v *verifier) edgesOf() {
	want := map[string]bool{}
	for number, p := range v.numbers {
		if p.object.header == nil {
			continue
		}
		stored, err := loadManifest(v.tx, p.digest, p.object, true)
		v.want(err == nil, "%s: %v", p.digest, err)
		m, err := oci.ParseManifest(stored.MediaType, stored.Bytes, p.digest.Algorithm())
		if err != nil {
			v.Errorf("%s: %v", p.digest, err)
			continue
		}
		for d, kind := range edges(m) {
			child, err := findObject(v.tx, p.repo, d)
			v.want(err == nil, "%s: %v", d, err)
			want[fmt.Sprintf("%x %d", edgeKey(nil, child.number, number), kind)] = true
		}
	}
	v.each(tableEdges, func(k, value []byte) {
		v.want(want[fmt.Sprintf("%x %d", k, value[0])], "edge %x is in no manifest", k)
		delete(want, fmt.Sprintf("%x %d", k, value[0]))
	})
	v.want(len(want) == 0, "%d edges are missing", len(want))
}
