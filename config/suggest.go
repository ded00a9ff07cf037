package config

import (
	"slices"
	"strings"
)

// suggest returns `, did you mean "addr"?` for adress, and "" when no known name is near.
func suggest(name string, known []string) string {
	if best := nearest(name, known); best != "" {
		return ", did you mean " + quote(best) + "?"
	}
	return ""
}

// nearest returns the known name that takes the fewest edits, at most a third of its length. token-ttl and tokenTTL are
// token_ttl; adress and address are addr.
func nearest(name string, known []string) string {
	if len(name) > maxKey {
		return ""
	}
	best, fewest := "", len(name)+1
	for _, k := range known {
		edits := distance(plain(name), plain(k))
		if edits > 1 && abbreviates(plain(name), plain(k)) {
			edits = 1
		}
		near := edits <= max(1, len(k)/3) && 2*edits < len(k)
		if near && (edits < fewest || edits == fewest && len(k) > len(best)) {
			best, fewest = k, edits
		}
	}
	return best
}

func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

// abbreviates says whether one is the beginning of the other, when double letters count once.
func abbreviates(a, b string) bool {
	short, long := once(a), once(b)
	if len(short) > len(long) {
		short, long = long, short
	}
	return len(short) >= 3 && strings.HasPrefix(long, short)
}

func once(name string) string {
	return string(slices.Compact([]byte(name)))
}

// distance is how many letters must be put in, taken out or changed, or neighbours swapped, to make a into b.
func distance(a, b string) int {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+differ(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}

func differ(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
}
