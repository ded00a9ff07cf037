package account_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"github.com/berth-registry/berth/metadata"
)

// empty has no users, and its directory.
func empty(t *testing.T, static ...metadata.User) (*account.Accounts, *memory, string) {
	t.Helper()
	m := &memory{users: map[string]metadata.User{}}
	dir := filepath.Join(t.TempDir(), "data")
	a, err := account.New(account.Options{Users: m, Static: static, Cost: 4, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return a, m, filepath.Join(dir, "initial-admin-password")
}

func bootstrap(t *testing.T, a *account.Accounts, password string) account.Initial {
	t.Helper()
	made, err := a.Bootstrap(t.Context(), password, start)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func absent(t *testing.T, file string) {
	t.Helper()
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: %v", file, err)
	}
}

// TestBootstrapMakesAPassword is CVE-2026-4404, one password for everybody's
// first administrator: each registry makes its own.
func TestBootstrapMakesAPassword(t *testing.T) {
	a, m, file := empty(t)
	made := bootstrap(t, a, "")
	if !made.Created || len(made.Password) < 20 || made.File != file {
		t.Fatalf("%+v", made)
	}
	data, err := os.ReadFile(file)
	info, _ := os.Stat(file)
	if err != nil || strings.TrimSpace(string(data)) != made.Password || info.Mode() != 0o600 {
		t.Errorf("%q %v %v", data, info.Mode(), err)
	}
	if p := login(t, a, "admin", made.Password, nil); !p.Admin {
		t.Errorf("%+v", p)
	}

	// The second start does nothing, whatever the environment says.
	hash := m.users["admin"].Bcrypt
	for _, password := range []string{"", "from-the-environment", "short"} {
		if again := bootstrap(t, a, password); again != (account.Initial{}) || m.users["admin"].Bcrypt != hash {
			t.Errorf("%+v", again)
		}
	}
	if other, _, _ := empty(t); bootstrap(t, other, "").Password == made.Password {
		t.Error("two registries have one password")
	}

	// The file goes with the password.
	if err := a.SetPassword(t.Context(), "admin", "changed-password", start); err != nil {
		t.Fatal(err)
	}
	absent(t, file)
	login(t, a, "admin", made.Password, auth.ErrBadCredentials)
}

func TestBootstrapWithAGivenPassword(t *testing.T) {
	a, m, file := empty(t)
	for _, bad := range []string{"short", strings.Repeat("x", 73), "with newline\n"} {
		if made, err := a.Bootstrap(t.Context(), bad, start); !errors.Is(err, account.ErrInvalid) || made != (account.Initial{}) {
			t.Errorf("%q: %+v %v", bad, made, err)
		}
	}
	if len(m.users) != 0 {
		t.Fatal("a user was made")
	}
	if made := bootstrap(t, a, "given-password"); made != (account.Initial{Created: true}) {
		t.Errorf("%+v", made)
	}
	absent(t, file)
	login(t, a, "admin", "given-password", nil)
}

// A start that was cut off between the file and the user leaves nothing that
// the next one is misled by.
func TestBootstrapAfterACut(t *testing.T) {
	for _, given := range []string{"", "given-password"} {
		a, m, file := empty(t)
		m.fails = nil
		first := bootstrap(t, a, "")
		m.change(func() { delete(m.users, "admin") })
		second := bootstrap(t, a, given)
		if !second.Created || second.Password == first.Password {
			t.Errorf("%+v", second)
		}
		if given != "" {
			absent(t, file)
			continue
		}
		if data, _ := os.ReadFile(file); strings.TrimSpace(string(data)) != second.Password {
			t.Errorf("%q", data)
		}
		login(t, a, "admin", second.Password, nil)
	}
}

// An administrator who removed admin does not get it back.
func TestBootstrapOnlyWithoutAdministrators(t *testing.T) {
	a, m, file := empty(t)
	bootstrap(t, a, "")
	if err := a.Add(t.Context(), "alice", "alice-password", true, nil, start); err != nil {
		t.Fatal(err)
	}
	if err := a.Remove(t.Context(), "admin"); err != nil {
		t.Fatal(err)
	}
	absent(t, file)
	if made := bootstrap(t, a, "given-password"); made.Created || len(m.users) != 1 {
		t.Errorf("%+v %v", made, m.users)
	}
}

func TestBootstrapBesideStaticUsers(t *testing.T) {
	hash := hashed(t, "static-password", 4)
	for name, tc := range map[string]struct {
		static metadata.User
		made   bool
	}{
		"a static administrator":           {metadata.User{Name: "ops", Bcrypt: hash, Admin: true}, false},
		"a static user":                    {metadata.User{Name: "ops", Bcrypt: hash}, true},
		"a static admin without the right": {metadata.User{Name: "admin", Bcrypt: hash}, false},
	} {
		a, _, _ := empty(t, tc.static)
		if made := bootstrap(t, a, ""); made.Created != tc.made {
			t.Errorf("%s: %+v", name, made)
		}
	}
}

// The password is on the disk before the user is there: without the file
// nobody could log in.
func TestBootstrapWithoutADirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m := &memory{users: map[string]metadata.User{}}
	a, err := account.New(account.Options{Users: m, Cost: 4, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if made, err := a.Bootstrap(t.Context(), "", start); err == nil || made != (account.Initial{}) || len(m.users) != 0 {
		t.Errorf("%+v %v %v", made, err, m.users)
	}
}
