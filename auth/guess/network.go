package guess

import (
	"net/netip"
	"time"
)

// client is who is taken for one: an IPv4 address, or the /64 of an IPv6
// address, of which a single machine has as many as it likes. All whose address
// is not known are one.
func client(a netip.Addr) netip.Prefix { return prefix(a, 64) }

// prefix returns the network of an address: of an IPv4 address always itself.
func prefix(a netip.Addr, bits int) netip.Prefix {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		bits = 32
	}
	p, err := a.Prefix(bits)
	if err != nil { // of the zero Addr
		return netip.Prefix{}
	}
	return p
}

// networks are those that pay for a client's wrong secrets. Whoever asks a
// tunnel broker gets a /48, which is 65536 clients.
func networks(a netip.Addr) []spender {
	list := []spender{{client(a), perClient}}
	if a.Unmap().Is6() {
		list = append(list, spender{prefix(a, 48), perSite})
	}
	return list
}

type spender struct {
	network netip.Prefix
	budget  budget
}

var (
	perClient = budget{most: 100, interval: 36 * time.Second}         // 100 per hour
	perSite   = budget{most: 1000, interval: 3600 * time.Millisecond} // 1000 per hour
)
