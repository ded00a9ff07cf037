package memory

import (
	"iter"
	"net/netip"

	"github.com/berth-registry/berth/ratelimit"
)

// table is a map of keys. Addresses, of which there may be a million, take half
// the room in a map of their own.
type table struct {
	addresses map[[16]byte]*entry
	others    map[ratelimit.Key]*entry
}

func newTable() table {
	return table{map[[16]byte]*entry{}, map[ratelimit.Key]*entry{}}
}

// get returns nil if there is no such key.
func (t table) get(key ratelimit.Key) *entry {
	if key.Kind() == ratelimit.Address {
		return t.addresses[key.Addr().As16()]
	}
	return t.others[key]
}

func (t table) set(key ratelimit.Key, e *entry) {
	if key.Kind() == ratelimit.Address {
		t.addresses[key.Addr().As16()] = e
		return
	}
	t.others[key] = e
}

func (t table) delete(key ratelimit.Key) {
	if key.Kind() == ratelimit.Address {
		delete(t.addresses, key.Addr().As16())
		return
	}
	delete(t.others, key)
}

// all visits every key. The one that is visited may be deleted.
func (t table) all() iter.Seq2[ratelimit.Key, *entry] {
	return func(yield func(ratelimit.Key, *entry) bool) {
		for a, e := range t.addresses {
			if !yield(ratelimit.At(netip.AddrFrom16(a)), e) {
				return
			}
		}
		for key, e := range t.others {
			if !yield(key, e) {
				return
			}
		}
	}
}
