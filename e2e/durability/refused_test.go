package durability

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-registry/berth/e2e/internal/berth"
)

// nobody is a user who may not read what others have.
const nobody = 65534

// damage is a database that cannot be used.
type damage struct {
	name    string
	content []byte
	why, do string // what serve says
}

func damages(whole []byte) []damage {
	const (
		restore = "nothing in it was changed. Restore a backup of it, or move it away to begin without tags, manifests and users: the blobs in storage are no part of it\n"
		newer   = "nothing in it was changed. Start that version again, or restore a backup that this one has made\n"
		none    = "it is no database, or damaged: neither of its two meta pages is valid"
	)
	page := os.Getpagesize()
	flipped := bytes.Clone(whole)
	flipped[16+20] ^= 0xff // of either meta page
	flipped[page+16+20] ^= 0xff
	swapped := func(from, to string) []byte { return bytes.ReplaceAll(whole, []byte(from), []byte(to)) }
	return []damage{
		{"empty", nil, "it is empty", restore},
		{"cut to a byte", whole[:1], none, restore},
		{"cut within the first page", whole[:100], "it was cut: ", restore},
		{"cut to a page", whole[:page], "it was cut: ", restore},
		{"cut to three pages", whole[:3*page], "it was cut: ", restore},
		{"cut to four pages and a half", whole[:4*page+page/2], "it was cut: ", restore},
		{"garbage", content(1<<20, 1), none, restore},
		{"both meta pages flipped", flipped, none, restore},
		{"of another program", swapped("repositories", "reservations"), "it is no database of berth, or damaged: it has no table", restore},
		{"of a newer berth", swapped("schema\x01", "schema\x02"), "it was written by a newer version of berth (schema 2, known is 1)", newer},
	}
}

// TestDamagedDatabase starts serve on databases that cannot be used: it says
// what is wrong and what to do, and changes nothing.
func TestDamagedDatabase(t *testing.T) {
	r := newRegistry(t, mkdir(t)+"/data")
	r.Stop(t)
	whole := []byte(read(t, r.DB))
	for _, d := range damages(whole) {
		t.Run(d.name, func(t *testing.T) {
			if bytes.Equal(d.content, whole) {
				t.Fatal("it is the whole database")
			}
			must(t, os.WriteFile(r.DB, d.content, 0o600))
			before := tree(t, r.Root)
			said := r.Refused(t)
			want := "berth: metadata: " + r.DB + " cannot be used: " + d.why
			if !strings.HasPrefix(said, want) || !strings.HasSuffix(said, d.do) || strings.Count(said, "\n") != 1 {
				t.Errorf("serve says %swant %q and %q", said, want, d.do)
			}
			same(t, r.Root, before)
		})
	}
	t.Run("restored", func(t *testing.T) {
		must(t, os.WriteFile(r.DB, whole, 0o600))
		r.start(t)
		r.readable(t, false)
		r.Stop(t)
	})
	t.Run("moved away", func(t *testing.T) { r.beginsAnew(t) })
}

// beginsAnew does what the message says: the blobs are still there, and are
// not stored twice.
func (r *registry) beginsAnew(t *testing.T) {
	data := filepath.Join(r.Root, "docker")
	blobsBefore := tree(t, data)
	must(t, os.Rename(r.DB, r.DB+".damaged"))
	r.start(t)
	r.absent(t, manifests(repo, "stable"))
	r.push(t)
	r.readable(t, false)
	r.Stop(t)
	same(t, data, blobsBefore)
}

// TestUnreadableDatabase is one that the user of serve may not open.
func TestUnreadableDatabase(t *testing.T) {
	if os.Geteuid() != 0 {
		skip(t, "only root can become somebody who may read less")
	}
	r := newRegistry(t, mkdir(t)+"/data")
	r.Stop(t)
	bin := filepath.Join(r.Dir, "for-nobody") // $BERTH_BIN may lie where nobody may go
	must(t, os.WriteFile(bin, []byte(read(t, r.Bin)), 0o755))
	r.Bin = bin
	must(t, exec.Command("chown", "-R", fmt.Sprint(nobody), r.Dir, filepath.Dir(r.Root)).Run())
	for file, want := range map[string]string{
		r.DB:  fmt.Sprintf("berth: metadata: open %s: permission denied: berth runs as user %d, who must be able to read and write it\n", r.DB, nobody),
		r.Key: fmt.Sprintf("berth: token key %s: open %[1]s: permission denied\n", r.Key),
	} {
		must(t, os.Chown(file, 0, 0))
		before := tree(t, r.Root)
		cmd := r.Command(t, "serve")
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		if said := berth.Refused(t, cmd); said != want {
			t.Errorf("serve says %swant %s", said, want)
		}
		same(t, r.Root, before)
		must(t, os.Chown(file, nobody, nobody))
	}
}

// TestDamagedKey starts serve with token keys that are none.
func TestDamagedKey(t *testing.T) {
	r := newRegistry(t, mkdir(t)+"/data")
	r.Stop(t)
	whole := read(t, r.Key)
	for name, test := range map[string]struct{ content, why string }{
		"empty":           {"", "there is no PEM block in it"},
		"garbage":         {string(content(500, 1)), "there is no PEM block in it"},
		"cut":             {whole[:len(whole)/2], "there is no PEM block in it"},
		"another body":    {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "it holds no valid PKCS#8 key"},
		"another kind":    {strings.ReplaceAll(whole, "PRIVATE KEY", "CERTIFICATE"), `it holds a "CERTIFICATE", not a "PRIVATE KEY"`},
		"more than a key": {whole + whole, "there is more than one PEM block in it"},
	} {
		t.Run(name, func(t *testing.T) {
			must(t, os.WriteFile(r.Key, []byte(test.content), 0o600))
			before := tree(t, r.Root)
			said := r.Refused(t)
			const do = "; nothing in it was changed. Restore a backup of it, or move it away: berth serve makes a new first key, and tokens of the old one end\n"
			if want := "berth: token key " + r.Key + ": " + test.why; !strings.HasPrefix(said, want) || !strings.HasSuffix(said, do) || strings.Count(said, "\n") != 1 {
				t.Errorf("serve says %swant %s", said, want)
			}
			same(t, r.Root, before)
		})
	}
	t.Run("moved away", func(t *testing.T) {
		must(t, os.Rename(r.Key, r.Key+".damaged"))
		old := r.c
		r.start(t)
		r.readable(t, false)
		if a, err := old.Do("GET", "/v2/", "", nil); err != nil || a.Status != 401 {
			t.Errorf("with a token of the old key: %v, %d", err, a.Status)
		}
	})
}

// TestSecondProcess refuses another server on the same data in one sentence;
// the first goes on.
func TestSecondProcess(t *testing.T) {
	r := newRegistry(t, mkdir(t)+"/data")
	elsewhere := mkdir(t)
	locked := fmt.Sprintf("berth: storage: open storage: another process uses this storage root: %s/_lock is locked\n", r.Root)
	for _, test := range []struct{ name, root, db, says string }{
		{"the same data", r.Root, r.DB, locked},
		{"the same storage", r.Root, elsewhere + "/berth.db", locked},
		{"the same database", elsewhere + "/data", r.DB, fmt.Sprintf("berth: metadata: %s is in use by another process\n", r.DB)},
	} {
		t.Run(test.name, func(t *testing.T) {
			second := berth.New(t)
			second.Root, second.DB, second.Key = test.root, test.db, r.Key
			before := tree(t, r.Root)
			if said := second.Refused(t); said != test.says {
				t.Errorf("serve says %swant %s", said, test.says)
			}
			same(t, r.Root, before)
			if _, err := os.Stat(elsewhere + "/berth.db"); err == nil {
				t.Error("the second process made a database")
			}
			r.readable(t, false)
			body := content(1000, uint64(len(test.name)))
			r.want(t, 201, "POST", blobs(repo, "uploads/?digest="+berth.Digest(body)), octets, body)
			r.checks(t, "ok", "ok")
		})
	}
	if log := r.Logs(); log != "" {
		t.Errorf("the first process logged %s", log)
	}
}
