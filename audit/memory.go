package audit

import "sync"

// How much of each class is remembered, in entries and bytes: 10 000 and 8 MiB
// together.
var capacity = [classes]struct{ entries, bytes int }{
	changes:  {4000, 4 << 20},
	arrivals: {3000, 2 << 20},
	refusals: {3000, 2 << 20},
}

// memory holds the newest entries of each class. It may be used concurrently.
type memory struct {
	mu    sync.RWMutex
	last  uint64 // number of entries ever
	kinds [classes]shelf
}

// shelf is entries of one class, the oldest first.
type shelf struct {
	entries []numbered
	bytes   int
}

// numbered is an entry and its place in the trail.
type numbered struct {
	Entry
	n uint64
}

func (m *memory) add(e Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last++
	s, most := &m.kinds[e.class()], capacity[e.class()]
	s.entries = append(s.entries, numbered{e, m.last})
	s.bytes += e.size()
	for len(s.entries) > most.entries || s.bytes > most.bytes {
		s.bytes -= s.entries[0].size()
		s.entries[0] = numbered{} // for the collector: append moves on only now and then
		s.entries = s.entries[1:]
	}
}

// find returns the entries that match, the newest first, at most limit.
func (m *memory) find(match func(*Entry) bool, limit int) []Entry {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var left [classes][]numbered
	for c := range left {
		left[c] = m.kinds[c].entries
	}
	found := []Entry{}
	for len(found) < limit {
		newest := -1
		for c, l := range left {
			if len(l) > 0 && (newest < 0 || l[len(l)-1].n > left[newest][len(left[newest])-1].n) {
				newest = c
			}
		}
		if newest < 0 {
			break
		}
		l := left[newest]
		if e := &l[len(l)-1].Entry; match(e) {
			found = append(found, *e)
		}
		left[newest] = l[:len(l)-1]
	}
	return found
}
