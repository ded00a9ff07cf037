package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/oci"
)

// rememberFor is how long the result of a bcrypt is remembered.
const rememberFor = time.Minute

// proof stands for a name, a password and the hash that they were compared
// with. It tells nothing of them without the process's secret.
type proof [sha256.Size]byte

// Login returns the principal whose name and password these are.
// auth.ErrBadCredentials if they are nobody's; the error of ctx if it ends
// while other logins are checked; any other error is the store's.
//
// An unknown name costs as much time as a wrong password. So does one that is
// impossible, such as a longer password than can be set. What was compared in
// the last minute is remembered, right or wrong, so that a client which repeats
// itself costs one bcrypt.
func (a *Accounts) Login(ctx context.Context, name, password string, now time.Time) (auth.Principal, error) {
	var hash string
	var p auth.Principal
	if oci.ValidComponent(name) {
		u, err := a.find(ctx, name)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return auth.Principal{}, err
		}
		if err == nil {
			hash, p = u.Bcrypt, principal(u)
		}
	}
	if hash == "" {
		hash = a.dummy()
	}
	right, err := a.compare(ctx, a.proof(name, password, hash), hash, password, now)
	if err != nil {
		return auth.Principal{}, err
	}
	if !right || p.Kind != auth.User {
		return auth.Principal{}, auth.ErrBadCredentials
	}
	return p, nil
}

// compare answers from memory or by bcrypt. Right and wrong results are kept
// apart: whoever guesses cannot push out those who log in.
func (a *Accounts) compare(ctx context.Context, key proof, hash, password string, now time.Time) (bool, error) {
	if right, known := a.recall(key, now); known {
		return right, nil
	}
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	// A client that opens ten connections at once has waited for itself: they
	// cost as many runs as there are slots, not ten.
	if right, known := a.recall(key, now); known {
		return right, nil
	}
	right := a.fits(hash, password)
	if right {
		a.good.Put(key, struct{}{}, now.Add(rememberFor))
	} else {
		a.bad.Put(key, struct{}{}, now.Add(rememberFor))
	}
	return right, nil
}

func (a *Accounts) recall(key proof, now time.Time) (right, known bool) {
	if _, ok := a.good.Get(key, now); ok {
		return true, true
	}
	_, ok := a.bad.Get(key, now)
	return false, ok
}

// proof computes the HMAC of its arguments, each with its length before it, so
// that nothing moves from one to the next.
func (a *Accounts) proof(fields ...string) proof {
	mac := hmac.New(sha256.New, a.secret)
	for _, f := range fields {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(f)))
		mac.Write(n[:])
		mac.Write([]byte(f))
	}
	return proof(mac.Sum(nil))
}
