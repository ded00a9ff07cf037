package auth_test

import (
	"strings"
	"testing"

	"github.com/berth-registry/berth/auth"
)

func TestParseRequirements(t *testing.T) {
	all, err := auth.ParseRequirements(map[string]string{"sub": "repo:octo/*", "aal": "2", "ref": "refs/tags/v*"})
	var got []string
	for _, r := range all {
		got = append(got, r.Claim+"="+r.Glob.String())
	}
	if want := "aal=2 ref=refs/tags/v* sub=repo:octo/*"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("%q %v, want %s", got, err, want)
	}
	if all, err := auth.ParseRequirements(nil); err != nil || all != nil {
		t.Errorf("%v %v", all, err)
	}
	if all, err := auth.ParseRequirements(map[string]string{"a": "b", "ref": "x**"}); all != nil || err == nil || !strings.Contains(err.Error(), "require ref: ") {
		t.Errorf("%v %v", all, err)
	}
}
