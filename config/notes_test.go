package config

import (
	"slices"
	"testing"
)

// Overlapping overrides are allowed; each overlap says which one wins, where the second one stands.
func TestNotes(t *testing.T) {
	const file = `ratelimit:
  overrides:
    - {who: ["robot:*", "user:a"], limit: 100}
    - who: ["robot:ci", "group:b"]
      limit: 50
    - {who: [10.0.0.0/8], limit: 400, window: 24h}
    - {who: [10.1.0.0/16, 11.0.0.0/8, "2001:db8::/32"], limit: 100}
    - {who: [authenticated], limit: unlimited}
    - {who: [anonymous], limit: 1}
    - {who: ["robot:cix", "user:a"], limit: 500, window: 30h}
`
	want := []string{
		`config.yaml:4:13: ratelimit.overrides[1].who[0]: robot:ci overlaps robot:* of ratelimit.overrides[0]: the most generous wins, that is ratelimit.overrides[0] with 100 per 6h`,
		`config.yaml:7:14: ratelimit.overrides[3].who[0]: 10.1.0.0/16 overlaps 10.0.0.0/8 of ratelimit.overrides[2]: the most generous wins, that is ratelimit.overrides[2] with 400 per 1d`,
		`config.yaml:8:14: ratelimit.overrides[4].who[0]: authenticated overlaps robot:* of ratelimit.overrides[0]: the most generous wins, that is ratelimit.overrides[4] with unlimited`,
		`config.yaml:8:14: ratelimit.overrides[4].who[0]: authenticated overlaps robot:ci of ratelimit.overrides[1]: the most generous wins, that is ratelimit.overrides[4] with unlimited`,
		`config.yaml:10:14: ratelimit.overrides[6].who[0]: robot:cix overlaps robot:* of ratelimit.overrides[0]: the most generous wins, that is ratelimit.overrides[6] with 500 per 1d6h`,
		`config.yaml:10:14: ratelimit.overrides[6].who[0]: robot:cix overlaps authenticated of ratelimit.overrides[4]: the most generous wins, that is ratelimit.overrides[4] with unlimited`,
		`config.yaml:10:27: ratelimit.overrides[6].who[1]: user:a overlaps user:a of ratelimit.overrides[0]: the most generous wins, that is ratelimit.overrides[6] with 500 per 1d6h`,
		`config.yaml:10:27: ratelimit.overrides[6].who[1]: user:a overlaps authenticated of ratelimit.overrides[4]: the most generous wins, that is ratelimit.overrides[4] with unlimited`,
	}
	_, notes, err := check("config.yaml", []byte(file), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range notes {
		got = append(got, n.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("\ngot\n%v\nwant\n%v", notes, want)
	}
	if _, notes, err := check("config.yaml", read(t, defaultFile), nil); err != nil || len(notes) > 0 {
		t.Errorf("%v, %v", notes, err)
	}
}
