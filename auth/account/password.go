package account

import (
	"crypto/rand"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/berth-registry/berth/auth"
	"golang.org/x/crypto/bcrypt"
)

// Limits of passwords.
const (
	MinPassword = 8  // characters (NIST SP 800-63B, section 5.1.1.2)
	MaxPassword = 72 // bytes: bcrypt reads no more
)

// CheckPassword says what is wrong with a new password. Its errors wrap
// ErrInvalid. There are no rules about what kinds of characters it has.
func CheckPassword(password string) error {
	switch {
	case !utf8.ValidString(password):
		return fmt.Errorf("%w: a password is text in UTF-8", ErrInvalid)
	case utf8.RuneCountInString(password) < MinPassword:
		return fmt.Errorf("%w: a password has at least %d characters", ErrInvalid, MinPassword)
	case len(password) > MaxPassword:
		return fmt.Errorf("%w: a password has at most %d bytes, because bcrypt ignores what is beyond", ErrInvalid, MaxPassword)
	}
	if strings.HasPrefix(password, auth.PersonalPrefix) { // which auth.Door takes for a personal token
		return fmt.Errorf("%w: a password does not begin with %s", ErrInvalid, auth.PersonalPrefix)
	}
	for _, r := range password {
		if unicode.IsControl(r) { // RFC 7617 forbids them; one is often the newline of a file
			return fmt.Errorf("%w: a password has no control characters (is there a newline at its end?)", ErrInvalid)
		}
	}
	return nil
}

func (a *Accounts) hash(password string) (string, error) {
	if err := CheckPassword(password); err != nil {
		return "", err
	}
	h, err := bcrypt.GenerateFromPassword([]byte(password), a.cost)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return string(h), nil
}

// fits compares with bcrypt, at full cost also where the answer is known:
// bcrypt itself would ignore what is beyond 72 bytes, and take "a" and
// "a\x00a" for one password.
func fits(hash, password string) bool {
	err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password))
	return err == nil && len(password) <= MaxPassword && !hasNUL(password)
}

// dummyTail makes salt and hash of a password that nobody knows.
func dummyTail() (string, error) {
	h, err := bcrypt.GenerateFromPassword([]byte(rand.Text()), bcrypt.MinCost)
	if err != nil {
		return "", fmt.Errorf("hash a dummy: %w", err)
	}
	return string(h[len("$2a$04"):]), nil
}

// dummy returns a hash of any cost that no password fits. It is put together
// and not computed: the first unknown name must not take longer than the next.
func (a *Accounts) dummy(cost int) string { return fmt.Sprintf("$2a$%02d%s", cost, a.tail) }

func hasNUL(s string) bool {
	for i := range len(s) {
		if s[i] == 0 {
			return true
		}
	}
	return false
}
