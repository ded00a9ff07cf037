package crash

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berth-registry/berth/e2e/internal/berth"
)

// kills is how often the server is killed: BERTH_KILLS, or 300 where everything
// is required, or a few.
func kills(t *testing.T) int {
	if text := os.Getenv("BERTH_KILLS"); text != "" {
		n, err := strconv.Atoi(text)
		must(t, err)
		return n
	}
	if os.Getenv("BERTH_REQUIRE") == "all" {
		return 300
	}
	return 30
}

// TestKill is what the package is for. It prints its seed; the moments of the
// kills are random all the same.
func TestKill(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	s, n := &server{Server: berth.New(t)}, &count{}
	defer s.Judge(t)
	shared := &pool{}
	var models [writers]*model
	for w := range models {
		models[w] = newModel(repository(w))
	}
	rounds := kills(t)
	s.start(t)
	before := 0
	for range rounds {
		must(t, load(t, s, models[:], shared, random, n))
		left := s.receiving(t)
		n.arriving += max(left-before, 0)
		before = left
		s.start(t)
		must(t, verify(s, models[:], n, false))
		if len(n.problems) > 0 {
			break
		}
	}
	must(t, verify(s, models[:], n, true))
	s.Kill(t)
	report(t, rounds, n)
}

// load lets all writers write and kills the server under them.
func load(t *testing.T, s *server, models []*model, shared *pool, random *rand.Rand, n *count) error {
	t.Helper()
	var acked atomic.Int64
	errs := make([]error, len(models))
	var all sync.WaitGroup
	for i, m := range models {
		w := &writer{model: m, pool: shared, rand: rand.New(rand.NewPCG(random.Uint64(), 2)), c: s.Client(), acked: &acked, serial: len(m.tags) * 1000}
		all.Go(func() { errs[i] = w.run() })
	}
	<-time.After(time.Duration(random.IntN(100_000)) * time.Microsecond) // the moment is what is random here
	s.Kill(t)
	all.Wait()
	n.acknowledged += int(acked.Load())
	return errors.Join(errs...)
}

func verify(s *server, models []*model, n *count, all bool) error {
	for _, m := range models {
		v := &verifier{s: s, c: s.Client(), m: m, n: n}
		err := v.verify(all)
		v.c.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func report(t *testing.T, rounds int, n *count) {
	t.Helper()
	line := fmt.Sprintf("kills %d, acknowledged %d, lost %d, visible but incomplete %d; hit: bytes arriving %d, published but not visible %d, "+
		"visible but not answered %d, begun without a trace %d; uploads resumed %d",
		rounds, n.acknowledged, n.lost, n.incomplete, n.arriving, n.published, n.unanswered, n.undone, n.resumed)
	fmt.Println(line)
	for i, p := range n.problems {
		if i == 20 {
			t.Errorf("and %d more", len(n.problems)-i)
			break
		}
		t.Error(p)
	}
	if rounds < 100 {
		return // too few to be sure of every phase
	}
	for phase, hits := range map[string]int{
		"bytes arriving": n.arriving, "published but not visible": n.published, "visible but not answered": n.unanswered,
		"begun without a trace": n.undone, "uploads resumed": n.resumed, "acknowledged": n.acknowledged,
	} {
		if hits == 0 {
			t.Errorf("no kill hit the phase %q", phase)
		}
	}
}
