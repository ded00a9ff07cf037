package proof_test

import (
	"testing"

	"github.com/berth-registry/berth/auth/internal/proof"
)

func TestProofsDiffer(t *testing.T) {
	m := proof.NewMaker()
	seen := map[proof.Proof]string{}
	for name, p := range map[string]proof.Proof{
		"nothing": m.Of(), "empty": m.Of(""), "twice empty": m.Of("", ""), "ab": m.Of("ab"), "a b": m.Of("a", "b"), "b a": m.Of("b", "a"),
		"ab and empty": m.Of("ab", ""), "another maker": proof.NewMaker().Of("a", "b"),
	} {
		if other, is := seen[p]; is {
			t.Errorf("%s and %s are the same", name, other)
		}
		seen[p] = name
	}
	if first, again := m.Of("a", "b"), m.Of("a", "b"); first != again {
		t.Error("one proof is two")
	}
}
