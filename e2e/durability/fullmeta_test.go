package durability

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-registry/berth/e2e/internal/berth"
)

// TestDatabaseGrowsOnFullDisk fills the database until its file must grow while
// there is no room for that, and for a while only for some of it.
func TestDatabaseGrowsOnFullDisk(t *testing.T) {
	d := newTmpfs(t)
	r := newRegistry(t, d.dir()+"/data")
	var pushed [][]byte
	for grown := 0; grown == 0; {
		if len(pushed) == 10 {
			t.Fatal("the database has not grown")
		}
		doc := image(strings.Repeat(fmt.Sprintf("%08d", len(pushed)), 500_000), r.config)
		tag := manifests(repo, fmt.Sprint("big", len(pushed)))
		for _, pages := range []int{0, 1, 300, 500} { // of 980: what an attempt has written stays
			before := fileSize(t, r.DB)
			hollow(t, r.DB)
			d.leave(t, pages, plenty)
			diskFull.check(t, fmt.Sprintf("4 MB in %d pages", pages), r.do(t, "PUT", tag, imageType, doc))
			r.absent(t, tag)
			r.readable(t, false)
			if fileSize(t, r.DB) > before {
				grown++
			}
		}
		d.leave(t, plenty, plenty)
		r.checks(t, "ok", "ok")
		r.want(t, 201, "PUT", tag, imageType, doc)
		r.copied(t, doc)
		pushed = append(pushed, doc)
	}
	r.Stop(t)
	r.start(t)
	for i, doc := range pushed {
		r.present(t, manifests(repo, fmt.Sprint("big", i)), doc)
	}
	r.Judge(t)
	fmt.Printf("disk full: the database could not grow after %d manifests of 4 MB, and then did\n", len(pushed))
}

// TestMetadataDiskFull has the metadata on a disk of their own: storage is
// well, and takes bytes that cannot be made visible.
func TestMetadataDiskFull(t *testing.T) {
	d, data := newTmpfs(t), mkdir(t)
	r := newRegistry(t, data)
	r.Stop(t)
	r.DB = filepath.Join(d.dir(), "berth.db") // a new one: the blobs are found again
	r.start(t)
	r.push(t)
	location := r.session(t, nil)
	hollow(t, r.DB)
	r.brim(t, d)
	r.checks(t, "ok", "failed")
	body := content(10_000, 3)
	for i, a := range []berth.Answer{
		r.do(t, "POST", blobs(repo, "uploads/"), "", nil),
		r.do(t, "PATCH", location, octets, body),
		r.do(t, "POST", blobs(repo, "uploads/?digest="+berth.Digest(body)), octets, body),
		r.do(t, "PUT", manifests(repo, "other"), imageType, r.image),
	} {
		diskFull.check(t, fmt.Sprint("write ", i), a)
	}
	r.readable(t, false)
	r.stands(t, location, 0)
	if left := r.receiving(t); len(left) != 0 {
		t.Errorf("%q is left of uploads", left)
	}
	d.leave(t, plenty, plenty)
	r.checks(t, "ok", "ok")
	r.want(t, 201, "PUT", location+"?digest="+berth.Digest(body), octets, body)
	r.present(t, blobs(repo, berth.Digest(body)), body)
	r.Judge(t)
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return info.Size()
}
