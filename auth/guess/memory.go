package guess

import (
	"net/netip"
	"slices"
	"time"
)

// How much is remembered: some 10 MiB if all of it is full.
const (
	maxAccounts = 1 << 15
	maxNetworks = 1 << 14
	maxSecrets  = 8 // of one account from one client
)

// account is a name as one client uses it, and secret what it sends: both are
// parts of HMACs, which tell nothing of them without the process's key.
type (
	account [16]byte
	secret  uint64
)

// attempt is one login as the memory sees it.
type attempt struct {
	account account
	secret  secret
	client  netip.Addr
}

// record is what is known of an account from one client.
type record struct {
	wrong int       // different secrets that were tried, the one under way included
	last  time.Time // when the last of them was
	tried [maxSecrets]trial
}

// trial is a secret that was tried. It is refused when the verifier has said
// so; until then it is on its way, or nobody waited for the answer.
type trial struct {
	secret  secret
	refused bool
}

// memory is what is known of wrong secrets, and decides by it. It is pure: it
// has no clock and no lock.
type memory struct {
	accounts *ledger[account, record]
	networks *ledger[netip.Prefix, time.Time] // when all that was spent will have come back
}

func newMemory(accounts, networks int) *memory {
	return &memory{newLedger[account, record](accounts), newLedger[netip.Prefix, time.Time](networks)}
}

// begin returns how long the attempt has to wait; 0 if its secret may be looked
// at. One that is new counts as wrong from here on, so that many at a time are
// as many as one after the other. One that was tried before counts for nothing
// and never waits, but keeps what is known alive.
func (m *memory) begin(t attempt, now time.Time) time.Duration {
	r, _ := m.accounts.get(t.account, now)
	if r.index(t.secret) < 0 {
		if wait := max(r.wait(now), m.wait(t.client, now)); wait > 0 {
			return wait
		}
		r.try(t.secret, now)
	}
	m.keep(t.account, r, now)
	return 0
}

// refused takes note that the secret of an attempt that had begun is wrong: the
// first time, its networks pay for it.
func (m *memory) refused(t attempt, now time.Time) {
	if r, ok := m.accounts.get(t.account, now); ok {
		if i := r.index(t.secret); i >= 0 {
			if r.tried[i].refused {
				return
			}
			r.tried[i].refused = true
			m.keep(t.account, r, now)
		}
	}
	for _, s := range networks(t.client) {
		back, _ := m.networks.get(s.network, now)
		back = s.budget.spend(back, now)
		m.networks.put(s.network, back, back, now)
	}
}

// accepted forgets what was wrong before: whoever knows the secret need not
// guess. What the networks have paid stays paid, or an account of one's own
// would be a way to guess at all the others.
func (m *memory) accepted(t attempt) { m.accounts.drop(t.account) }

func (m *memory) keep(a account, r record, now time.Time) {
	end := r.last.Add(held(r.wrong))
	if again := now.Add(heldLeast); again.After(end) {
		end = again
	}
	m.accounts.put(a, r, end, now)
}

// wait is how long the networks of a client do not get another try.
func (m *memory) wait(client netip.Addr, now time.Time) time.Duration {
	var wait time.Duration
	for _, s := range networks(client) {
		if back, ok := m.networks.get(s.network, now); ok {
			wait = max(wait, s.budget.wait(back, now))
		}
	}
	return wait
}

func (r *record) wait(now time.Time) time.Duration {
	return max(0, r.last.Add(delay(r.wrong)).Sub(now))
}

// index returns the place of a secret that was tried, or -1.
func (r *record) index(s secret) int {
	return slices.IndexFunc(r.tried[:], func(t trial) bool { return t.secret == s })
}

// try counts a new secret, in the place of the one that is longest known.
func (r *record) try(s secret, now time.Time) {
	r.tried[r.wrong%maxSecrets] = trial{secret: s}
	r.wrong++
	r.last = now
}
