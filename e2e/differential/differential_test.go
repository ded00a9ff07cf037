package differential

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

var (
	sequences = flag.Int("sequences", 300, "generated sequences")
	length    = flag.Int("length", 40, "requests of a generated sequence")
	seed      = flag.Uint64("seed", 1, "seed of the first generated sequence; 0: of the moment")
)

// TestDifferential holds berth against distribution and against the table.
func TestDifferential(t *testing.T) {
	tbl := newTable()
	fixed := false
	t.Run("fixed", func(t *testing.T) {
		testFixed(t, tbl)
		fixed = !t.Failed() // otherwise what the cases did not get to may well be needed
	})
	unused := tbl.unused()
	t.Run("generated", func(t *testing.T) { testGenerated(t, tbl) })
	if !fixed {
		return
	}
	for _, u := range unused {
		t.Errorf("no fixed case needs this of the table any more: %s: %s of %s: %q", u.id, u.field, u.side, u.value)
	}
}

func testFixed(t *testing.T, tbl *table) {
	p := newPair(t)
	var all coverage
	p.observe = all.note
	for _, c := range fixedCases() {
		if err := p.reset(); err != nil {
			t.Fatal(err)
		}
		if f := p.run(c.steps, tbl); f != nil {
			p.report(t, c.name, c.steps, f)
		}
	}
	p.twoWriters(t, tbl)
	all.check(t)
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p, err := openPair()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// report tells of a fault, with the shortest sequence that shows it.
func (p *pair) report(t *testing.T, name string, steps []step, f *fault) {
	t.Helper()
	steps, f, err := p.shrink(steps, f)
	if err != nil {
		t.Error(err)
	}
	t.Errorf("%s: %s\nminimal sequence:\n%s", name, f, reproduction(steps))
}

// maxFaults is how many faults are worth reading.
const maxFaults = 10

func testGenerated(t *testing.T, tbl *table) {
	from := *seed
	if from == 0 {
		from = rand.Uint64()
	}
	n := int64(*sequences)
	if testing.Short() {
		n = min(n, 30)
	}
	t.Logf("%d sequences of %d requests, -seed %d", n, *length, from)
	var next atomic.Int64
	var known faults
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		p := newPair(t)
		workers.Go(func() {
			for i := next.Add(1) - 1; i < n && known.len() < maxFaults; i = next.Add(1) - 1 {
				p.generated(t, tbl, from+uint64(i), &known)
			}
		})
	}
	workers.Wait()
}

// generated runs the sequence of one seed.
func (p *pair) generated(t *testing.T, tbl *table, seed uint64, known *faults) {
	if err := p.reset(); err != nil {
		t.Error(err)
		return
	}
	steps := generate(seed, *length)
	if f := p.run(steps, tbl); f != nil && known.add(f) {
		p.report(t, fmt.Sprint("-sequences 1 -seed ", seed), steps, f)
	}
}

// faults is what was reported already: one bug shows in many sequences.
type faults struct {
	mu    sync.Mutex
	signs map[string]bool
}

func (k *faults) add(f *fault) (fresh bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.signs == nil {
		k.signs = map[string]bool{}
	}
	fresh = !k.signs[f.sign()]
	k.signs[f.sign()] = true
	return fresh
}

func (k *faults) len() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.signs)
}
