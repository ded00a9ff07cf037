package account_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/account"
	"golang.org/x/crypto/bcrypt"
)

func TestImport(t *testing.T) {
	a, m := setup(t, account.Options{Reserved: []string{"docker.io"}})
	hash := hashed(t, "erin-password", bcrypt.MinCost)
	apache := strings.Replace(hash, "$2a$", "$2y$", 1)
	file := strings.Join([]string{
		"# users of the old registry",       // 1
		"erin:" + apache,                    // 2
		"",                                  // 3
		"  frank:" + hash + "  \r",          // 4
		"alice:" + hash,                     // 5
		"ci:" + hash,                        // 6
		"md5:$apr1$abcdefgh$secretsecretse", // 7
		"sha:{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs=",
		"plain:hunter2",
		"no colon hunter2",                     // 10
		"Upper:" + hash,                        // 11
		"docker.io:" + hash,                    // 12
		"anonymous:" + hash,                    // 13
		"erin:" + hash,                         // 14
		"slow:$2y$31$" + hash[7:],              // 15
		"cut:" + hash[:59],                     // 16
		"more:" + hash + ":hunter2",            // 17
		"gina:" + hash,                         // 18
		strings.Repeat("x", 5000) + ":" + hash, // 19
	}, "\n")
	got, err := a.Import(t.Context(), file, start)
	if err != nil {
		t.Fatal(err)
	}
	const notBcrypt = "invalid: the hash is not bcrypt's (htpasswd -B makes such)"
	want := account.Imported{Added: []string{"erin", "frank", "gina"}, Skipped: []account.Skipped{
		{5, "alice", account.ErrExists.Error()},
		{6, "ci", account.ErrExists.Error()},
		{7, "md5", notBcrypt},
		{8, "sha", notBcrypt},
		{9, "plain", notBcrypt},
		{10, "", "invalid: this is not NAME:HASH"},
		{11, "", "invalid: a user name is lower-case letters and digits, with . _ - between them"},
		{12, "", "invalid: docker.io is the name of an upstream"},
		{13, "", "invalid: the user name anonymous is reserved"},
		{14, "erin", account.ErrExists.Error()},
		{15, "slow", "invalid: the hash has the cost 31, and at most 15 is accepted"},
		{16, "cut", notBcrypt},
		{17, "more", notBcrypt},
		{19, "", "invalid: this is not NAME:HASH"},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if shown := fmt.Sprintf("%+v", got); strings.Contains(shown, "hunter2") || strings.Contains(shown, "secret") || strings.Contains(shown, "$2") {
		t.Errorf("shows what stood in the file: %s", shown)
	}
	login(t, a, "erin", "erin-password", nil)
	login(t, a, "frank", "erin-password", nil)
	login(t, a, "alice", "alice-password", nil)
	if u := m.users["erin"]; u.Admin || u.Groups != nil || !u.Created.Equal(start) {
		t.Errorf("%+v", u)
	}
	again, err := a.Import(t.Context(), file, start)
	if err != nil || len(again.Added) != 0 || len(again.Skipped) != 17 {
		t.Errorf("again: %+v %v", again, err)
	}
}

func TestImportFails(t *testing.T) {
	a, m := setup(t, account.Options{})
	if _, err := a.Import(t.Context(), strings.Repeat("#\n", account.MaxImport/2+1), start); !errors.Is(err, account.ErrInvalid) {
		t.Errorf("too long: %v", err)
	}
	m.change(func() { m.fails = errStore })
	got, err := a.Import(t.Context(), "erin:"+hashed(t, "x", bcrypt.MinCost), start)
	if !errors.Is(err, errStore) || len(got.Added) != 0 || got.Skipped == nil {
		t.Errorf("%+v %v", got, err)
	}
}

// FuzzImport: whatever the text, each line is a user, skipped, or passed over,
// and none of it is repeated but names.
func FuzzImport(f *testing.F) {
	hash := hashed(f, "x", bcrypt.MinCost)
	for _, s := range []string{"a:" + hash, "#a\n\nb:x", ":", "a", "a:b:c\r\nd", "\xff:\xff", "a:$2a$99$" + hash[7:], "\x00"} {
		f.Add(s)
	}
	a, _ := setup(f, account.Options{})
	f.Fuzz(func(t *testing.T, text string) {
		got, err := a.Import(t.Context(), text, start)
		if err != nil && !errors.Is(err, account.ErrInvalid) {
			t.Fatal(err)
		}
		if lines := strings.Count(text, "\n") + 1; len(got.Added)+len(got.Skipped) > lines {
			t.Errorf("%d lines: %+v", lines, got)
		}
		for _, s := range got.Skipped {
			if s.Name != "" && auth.CheckName(s.Name) != nil || len(s.Reason) > 200 {
				t.Errorf("%+v", s)
			}
		}
	})
}
