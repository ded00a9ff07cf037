package guess

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestLedger holds a ledger against a list that is searched.
func TestLedger(t *testing.T) {
	type row struct {
		key, value int
		end        time.Time
	}
	random := rand.New(rand.NewPCG(1, 2))
	l := newLedger[int, int](10)
	var rows []row
	find := func(k int) int { return slices.IndexFunc(rows, func(r row) bool { return r.key == k }) }
	now := time.Unix(0, 0)
	for i := range 50_000 {
		k := random.IntN(25)
		switch random.IntN(5) {
		case 0:
			now = now.Add(time.Duration(random.IntN(20)))
		case 1:
			l.drop(k)
			if at := find(k); at >= 0 {
				rows = slices.Delete(rows, at, at+1)
			}
		case 2, 3:
			r := row{k, i, now.Add(time.Duration(i%100)*1000 + time.Duration(i%7))}
			l.put(r.key, r.value, r.end, now)
			if at := find(k); at >= 0 {
				rows[at] = r
				break
			}
			rows = slices.DeleteFunc(rows, func(r row) bool { return !now.Before(r.end) })
			if len(rows) == l.max {
				first := slices.MinFunc(rows, func(a, b row) int { return a.end.Compare(b.end) })
				rows = slices.DeleteFunc(rows, func(r row) bool { return r.key == first.key })
			}
			rows = append(rows, r)
		}
		want, is := 0, false
		if at := find(k); at >= 0 && now.Before(rows[at].end) {
			want, is = rows[at].value, true
		}
		if got, ok := l.get(k, now); got != want || ok != is || len(l.entries) != len(rows) || len(l.ends) != len(rows) {
			t.Fatalf("step %d: %d %t of %d entries, want %d %t of %d", i, got, ok, len(l.entries), want, is, len(rows))
		}
	}
	if l.sweep(now.Add(time.Hour)); len(l.entries) != 0 {
		t.Errorf("%d entries stay", len(l.entries))
	}
}
