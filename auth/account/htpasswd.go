package account

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/berth-registry/berth/metadata"
	"golang.org/x/crypto/bcrypt"
)

// Limits of an import.
const (
	MaxImport     = 1 << 20 // bytes
	maxImportLine = 1024    // bytes
	maxImportCost = 15      // of a hash: above it a login takes seconds
)

// Imported is what an import did.
type Imported struct {
	Added   []string  `json:"added"`   // names of users
	Skipped []Skipped `json:"skipped"` // lines that are no user now
}

// Skipped is a line that was not imported. Nothing of what stands in it but a
// valid name is repeated: it may be a secret.
type Skipped struct {
	Line   int    `json:"line"` // from 1
	Name   string `json:"name,omitempty"`
	Reason string `json:"reason"`
}

// Import adds the users of an htpasswd file of Apache: NAME:HASH, a line each,
// with # before comments. Hashes must be bcrypt's (htpasswd -B); what is not,
// and users who are there already, are skipped and said. ErrInvalid if the text
// is above MaxImport, else the store's error, with what was done until then.
func (a *Accounts) Import(ctx context.Context, text string, now time.Time) (Imported, error) {
	done := Imported{Added: []string{}, Skipped: []Skipped{}}
	if len(text) > MaxImport {
		return done, fmt.Errorf("%w: an import has at most %d bytes", ErrInvalid, MaxImport)
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, err := a.importLine(ctx, line, now)
		switch {
		case err == nil:
			done.Added = append(done.Added, name)
		case errors.Is(err, ErrInvalid), errors.Is(err, ErrExists):
			done.Skipped = append(done.Skipped, Skipped{n, name, err.Error()})
		default:
			return done, err
		}
	}
	return done, nil
}

// importLine returns the name beside an error only if it is a valid one.
func (a *Accounts) importLine(ctx context.Context, line string, now time.Time) (string, error) {
	name, hash, ok := strings.Cut(line, ":")
	if !ok || len(line) > maxImportLine {
		return "", fmt.Errorf("%w: this is not NAME:HASH", ErrInvalid)
	}
	if err := a.checkNew(name, nil); err != nil {
		return "", err
	}
	if err := checkHash(hash); err != nil {
		return name, err
	}
	return name, a.add(ctx, metadata.User{Name: name, Bcrypt: hash, Created: now, Changed: now})
}

var bcryptHash = regexp.MustCompile(`^\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}$`)

func checkHash(hash string) error {
	cost, err := bcrypt.Cost([]byte(hash))
	switch {
	case err != nil || !bcryptHash.MatchString(hash):
		return fmt.Errorf("%w: the hash is not bcrypt's (htpasswd -B makes such)", ErrInvalid)
	case cost > maxImportCost:
		return fmt.Errorf("%w: the hash has the cost %d, and at most %d is accepted", ErrInvalid, cost, maxImportCost)
	}
	return nil
}
