package robot_test

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/robot"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/metadata/bolt"
)

var start = time.Unix(1_700_000_000, 0).UTC()

var errStore = errors.New("the store is down")

// rows is the store: embedded, its name must not be that of a method.
type rows interface{ metadata.Robots }

// counted counts what reaches the store, and fails if it is told to.
type counted struct {
	rows
	reads, updates atomic.Int64
	fails          atomic.Bool
}

func (c *counted) Robot(ctx context.Context, name string) (metadata.Robot, error) {
	c.reads.Add(1)
	if c.fails.Load() {
		return metadata.Robot{}, errStore
	}
	return c.rows.Robot(ctx, name)
}

func (c *counted) UpdateRobot(ctx context.Context, name string, change func(*metadata.Robot) error) error {
	c.updates.Add(1)
	return c.rows.UpdateRobot(ctx, name, change)
}

func setup(t *testing.T) (*robot.Robots, *counted) {
	t.Helper()
	store, err := bolt.Open(filepath.Join(t.TempDir(), "berth.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := &counted{rows: store}
	r := robot.New(c)
	t.Cleanup(func() {
		if err := errors.Join(r.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	return r, c
}

func add(t *testing.T, r *robot.Robots, name string, rules ...string) string {
	t.Helper()
	secret, err := r.Add(t.Context(), name, rules, time.Time{}, start)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func login(t *testing.T, r *robot.Robots, name, secret string, now time.Time, want error) auth.Principal {
	t.Helper()
	p, err := r.Login(t.Context(), auth.Credentials{Name: name, Secret: secret}, now)
	if !errors.Is(err, want) || (want == nil) != (err == nil) {
		t.Errorf("%s: %v, want %v", name, err, want)
	}
	if err != nil && !reflect.DeepEqual(p, auth.Principal{}) {
		t.Errorf("a principal beside an error: %+v", p)
	}
	return p
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLogin(t *testing.T) {
	r, _ := setup(t)
	ci := add(t, r, "ci", "team/**:pull,push", "cache:pull,delete,push")
	other := add(t, r, "other")
	if !strings.HasPrefix(ci, "berth_robot_") || len(ci) != len("berth_robot_")+40 || ci == other {
		t.Errorf("secrets %q %q", ci, other)
	}
	p := login(t, r, "robot$ci", ci, start, nil)
	if p.Kind != auth.Robot || p.Name != "ci" || p.Admin || p.Narrowed || p.Groups != nil || strings.Join(auth.RuleTexts(p.Own), " ") != "team/**:pull,push cache:*" {
		t.Errorf("%+v", p)
	}
	if p := login(t, r, "robot$other", other, start, nil); p.Own != nil {
		t.Errorf("%+v", p)
	}
	for _, tc := range [][2]string{
		{"robot$ci", other}, {"robot$ci", ""}, {"robot$ci", ci + " "}, {"robot$ci", strings.ToUpper(ci)}, {"robot$ci", ci[len("berth_robot_"):]},
		{"ci", ci}, {"robot:ci", ci}, {"Robot$ci", ci}, {"robot$", ci}, {"robot$CI", ci}, {"robot$ci\x00", ci}, {"robot$a/b", ci},
		{"robot$nobody", ci}, {"robot$nobody", ""}, {"robot$robot$ci", ci},
	} {
		login(t, r, tc[0], tc[1], start, auth.ErrBadCredentials)
	}
}

// TestLoginIsRevoked: whatever is done to a robot counts for its next login.
func TestLoginIsRevoked(t *testing.T) {
	r, c := setup(t)
	secret := add(t, r, "ci", "a:pull")
	must(t, r.SetDisabled(t.Context(), "ci", true))
	login(t, r, "robot$ci", secret, start, auth.ErrBadCredentials)
	must(t, r.SetDisabled(t.Context(), "ci", false))
	login(t, r, "robot$ci", secret, start, nil)
	renewed, err := r.Renew(t.Context(), "ci")
	must(t, err)
	login(t, r, "robot$ci", secret, start, auth.ErrBadCredentials)
	login(t, r, "robot$ci", renewed, start, nil)
	must(t, r.Remove(t.Context(), "ci"))
	login(t, r, "robot$ci", renewed, start, auth.ErrBadCredentials)

	secret, err = r.Add(t.Context(), "short", nil, start.Add(time.Hour), start)
	must(t, err)
	login(t, r, "robot$short", secret, start.Add(time.Hour-1), nil)
	login(t, r, "robot$short", secret, start.Add(time.Hour), auth.ErrBadCredentials)

	c.fails.Store(true)
	login(t, r, "robot$short", secret, start, errStore)
}

// TestStanding: what is revoked counts at once for what is done here, and
// within 10 s for what another process did.
func TestStanding(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(r *robot.Robots, store metadata.Robots) error
		want   error
	}{
		{"nothing", func(*robot.Robots, metadata.Robots) error { return nil }, nil},
		{"disabled", func(r *robot.Robots, _ metadata.Robots) error { return r.SetDisabled(t.Context(), "ci", true) }, auth.ErrInvalidToken},
		{"removed", func(r *robot.Robots, _ metadata.Robots) error { return r.Remove(t.Context(), "ci") }, auth.ErrInvalidToken},
		{"another secret", func(r *robot.Robots, _ metadata.Robots) error { _, err := r.Renew(t.Context(), "ci"); return err }, auth.ErrInvalidToken},
		{"removed and made again", func(r *robot.Robots, _ metadata.Robots) error {
			_, err := r.Add(t.Context(), "ci", []string{"a:pull"}, time.Time{}, start)
			return errors.Join(r.Remove(t.Context(), "ci"), err)
		}, auth.ErrInvalidToken},
		{"fewer rules", func(r *robot.Robots, s metadata.Robots) error {
			err := s.UpdateRobot(t.Context(), "ci", func(row *metadata.Robot) error { row.Rules = []string{"a:pull"}; return nil })
			return errors.Join(err, r.SetDisabled(t.Context(), "ci", false)) // a change of this process
		}, auth.ErrInvalidToken},
		{"more rules", func(r *robot.Robots, s metadata.Robots) error {
			return s.UpdateRobot(t.Context(), "ci", func(row *metadata.Robot) error { row.Rules = append(row.Rules, "c:pull"); return nil })
		}, nil},
	} {
		r, c := setup(t)
		secret := add(t, r, "ci", "a:pull", "b:*")
		p := login(t, r, "robot$ci", secret, start, nil)
		must(t, r.Standing(t.Context(), p, start))
		if err := tc.change(r, c.rows); err != nil && tc.name != "removed and made again" {
			t.Errorf("%s: %v", tc.name, err)
		}
		if err := r.Standing(t.Context(), p, start); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
}

func TestStandingExpiresAndIsRemembered(t *testing.T) {
	r, c := setup(t)
	secret, err := r.Add(t.Context(), "ci", nil, start.Add(5*time.Second), start)
	must(t, err)
	p := login(t, r, "robot$ci", secret, start, nil)
	before := c.reads.Load()
	for range 100 {
		must(t, r.Standing(t.Context(), p, start))
	}
	if n := c.reads.Load() - before; n != 1 {
		t.Errorf("%d reads", n)
	}
	if err := r.Standing(t.Context(), p, start.Add(5*time.Second)); !errors.Is(err, auth.ErrInvalidToken) {
		t.Errorf("expired: %v", err)
	}
	c.fails.Store(true)
	if err := r.Standing(t.Context(), p, start.Add(time.Minute)); !errors.Is(err, errStore) {
		t.Errorf("the store down: %v", err)
	}
	// Another process removes it: at most 10 s.
	r, c = setup(t)
	p = login(t, r, "robot$ci", add(t, r, "ci"), start, nil)
	must(t, r.Standing(t.Context(), p, start))
	must(t, c.RemoveRobot(t.Context(), "ci"))
	if err := r.Standing(t.Context(), p, start.Add(10*time.Second)); !errors.Is(err, auth.ErrInvalidToken) {
		t.Errorf("removed elsewhere: %v", err)
	}
}

func TestAddRefuses(t *testing.T) {
	r, _ := setup(t)
	add(t, r, "ci")
	for _, tc := range []struct {
		name, rules string
		expires     time.Time
		want        error
	}{
		{"ci", "", time.Time{}, robot.ErrExists},
		{"", "", time.Time{}, robot.ErrInvalid},
		{"robot$ci", "", time.Time{}, robot.ErrInvalid},
		{"CI", "", time.Time{}, robot.ErrInvalid},
		{"a/b", "", time.Time{}, robot.ErrInvalid},
		{strings.Repeat("a", 65), "", time.Time{}, robot.ErrInvalid},
		{"x", "team/**", time.Time{}, robot.ErrInvalid},
		{"x", "Team:pull", time.Time{}, robot.ErrInvalid},
		{"x", "team:read", time.Time{}, robot.ErrInvalid},
		{"x", "${user}/**:pull", time.Time{}, robot.ErrInvalid},
		{"x", strings.Repeat("a:pull ", auth.MaxRules+1), time.Time{}, robot.ErrInvalid},
		{"x", "", start, robot.ErrInvalid},
		{"x", "", start.Add(-time.Hour), robot.ErrInvalid},
	} {
		if secret, err := r.Add(t.Context(), tc.name, strings.Fields(tc.rules), tc.expires, start); !errors.Is(err, tc.want) || secret != "" {
			t.Errorf("%q %q: %q %v, want %v", tc.name, tc.rules, secret, err, tc.want)
		}
	}
	for name, err := range map[string]error{"remove": r.Remove(t.Context(), "x"), "disable": r.SetDisabled(t.Context(), "x", true)} {
		if !errors.Is(err, robot.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.Renew(t.Context(), "x"); !errors.Is(err, robot.ErrNotFound) {
		t.Error(err)
	}
	if _, err := r.Principal(t.Context(), "x"); !errors.Is(err, robot.ErrNotFound) {
		t.Error(err)
	}
	if _, err := r.Find(t.Context(), "x"); !errors.Is(err, robot.ErrNotFound) {
		t.Error(err)
	}
}

// TestList shows everything but the secret, and when it was used: written
// once in an hour, behind the answer.
func TestList(t *testing.T) {
	r, c := setup(t)
	ci := add(t, r, "ci", "a:push,pull")
	if _, err := r.Add(t.Context(), "b", nil, start.Add(time.Hour), start); err != nil {
		t.Fatal(err)
	}
	must(t, r.SetDisabled(t.Context(), "b", true))
	updates := c.updates.Load()
	for i := range 100 {
		login(t, r, "robot$ci", ci, start.Add(time.Duration(i)*time.Second), nil)
	}
	must(t, r.Close())
	if n := c.updates.Load() - updates; n != 1 {
		t.Errorf("%d writes for a hundred logins", n)
	}
	var got []robot.Robot
	for row, err := range r.List(t.Context(), "") {
		must(t, err)
		got = append(got, row)
	}
	want := []robot.Robot{
		{Name: "b", Rules: []string{}, Disabled: true, Created: start, Expires: start.Add(time.Hour)},
		{Name: "ci", Rules: []string{"a:pull,push"}, Created: start, Used: start},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	for row, err := range r.List(t.Context(), "b") {
		if err != nil || row.Name != "ci" {
			t.Errorf("after b: %+v %v", row, err)
		}
	}
	found, err := r.Find(t.Context(), "ci")
	if err != nil || !reflect.DeepEqual(found, want[1]) {
		t.Errorf("%+v %v", found, err)
	}
}
