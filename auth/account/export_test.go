package account

import (
	"strconv"
	"time"
)

// Watch has f called with the hash before each bcrypt.
func (a *Accounts) Watch(f func(hash string)) {
	a.fits = func(hash, password string) bool {
		f(hash)
		return fits(hash, password)
	}
}

// Guess remembers n wrong logins as if bcrypt had refused them.
func (a *Accounts) Guess(n int, now time.Time) {
	for i := range n {
		a.bad.Put(a.proof.Of("alice", strconv.Itoa(i), ""), struct{}{}, now.Add(rememberFor))
	}
}

// Dummy is the hash of a cost that no password fits.
func (a *Accounts) Dummy(cost int) string { return a.dummy(cost) }
