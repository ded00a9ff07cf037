package guess

import "github.com/berth-registry/berth/auth"

// NewOfSize returns a Guard that remembers little.
func NewOfSize(next auth.PasswordVerifier, accounts, networks int) *Guard {
	g := New(next)
	g.memory = newMemory(accounts, networks)
	return g
}

// Delay and Held are the schedule.
var (
	Delay = delay
	Held  = held
)

// Sizes of what is remembered.
const (
	MaxAccounts = maxAccounts
	MaxNetworks = maxNetworks
	MaxSecrets  = maxSecrets
)
