package robot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/secret"
	"github.com/berth-registry/berth/metadata"
)

// Why robots cannot be changed as asked.
var (
	// ErrInvalid means a name, rule or expiry that cannot be.
	ErrInvalid = errors.New("invalid")
	// ErrExists means that a robot of that name is there already.
	ErrExists = errors.New("this robot exists already")
	// ErrNotFound means that there is no robot of that name.
	ErrNotFound = errors.New("there is no such robot")
)

// Robot is a robot as a listing shows it.
type Robot struct {
	Name     string    `json:"name"` // without robot$
	Rules    []string  `json:"rules"`
	Disabled bool      `json:"disabled"`
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires,omitzero"` // absent: never
	Used     time.Time `json:"used,omitzero"`    // to the hour; absent: never
}

// Add stores a new robot and returns its secret, which nobody can get at
// again. ErrInvalid, ErrExists, or the store's error.
func (r *Robots) Add(ctx context.Context, name string, rules []string, expires, now time.Time) (string, error) {
	if err := auth.CheckRobot(name); err != nil {
		return "", fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	texts, err := checkRules(rules)
	if err != nil {
		return "", err
	}
	if !expires.IsZero() && !now.Before(expires) {
		return "", fmt.Errorf("%w: it would have expired already", ErrInvalid)
	}
	made := secretPrefix + secret.Random(secretBytes)
	err = r.store.AddRobot(ctx, metadata.Robot{Name: name, Secret: secret.Sum(made), Rules: texts, Created: now, Expires: expires})
	r.rows.Changed(name)
	if errors.Is(err, metadata.ErrExists) {
		return "", ErrExists
	}
	if err != nil {
		return "", fmt.Errorf("add robot %s: %w", name, err)
	}
	return made, nil
}

// checkRules returns the rules in the form in which they are stored. Where
// nobody is a user ${user} is nothing, and a rule that has it a mistake.
func checkRules(texts []string) ([]string, error) {
	rules, err := auth.ParseRules(texts)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	for _, rule := range rules {
		if strings.Contains(rule.String(), "${user}") {
			return nil, fmt.Errorf("%w: %s: ${user} is nobody's name here", ErrInvalid, rule)
		}
	}
	return auth.RuleTexts(rules), nil
}

// Renew gives a robot another secret. Tokens that it got by the old one push
// and delete no more. ErrNotFound, or the store's error.
func (r *Robots) Renew(ctx context.Context, name string) (string, error) {
	made := secretPrefix + secret.Random(secretBytes)
	err := r.change(ctx, name, func(row *metadata.Robot) error { row.Secret = secret.Sum(made); return nil })
	if err != nil {
		return "", err
	}
	return made, nil
}

// SetDisabled disables or enables a robot, which counts at once. ErrNotFound,
// or the store's error.
func (r *Robots) SetDisabled(ctx context.Context, name string, disabled bool) error {
	return r.change(ctx, name, func(row *metadata.Robot) error { row.Disabled = disabled; return nil })
}

func (r *Robots) change(ctx context.Context, name string, change func(*metadata.Robot) error) error {
	return r.changed(name, r.store.UpdateRobot(ctx, name, change))
}

// Remove removes a robot. ErrNotFound, or the store's error.
func (r *Robots) Remove(ctx context.Context, name string) error {
	return r.changed(name, r.store.RemoveRobot(ctx, name))
}

func (r *Robots) changed(name string, err error) error {
	r.rows.Changed(name)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("change robot %s: %w", name, err)
	}
	return nil
}

// Find returns a robot. ErrNotFound, or the store's error.
func (r *Robots) Find(ctx context.Context, name string) (Robot, error) {
	row, err := r.find(ctx, name)
	if err == nil && row.Name == "" {
		return Robot{}, ErrNotFound
	}
	return listed(row), err
}

// Principal returns who a robot is when it logs in, for `berth explain`.
// ErrNotFound, or the store's error.
func (r *Robots) Principal(ctx context.Context, name string) (auth.Principal, error) {
	row, err := r.find(ctx, name)
	if err != nil {
		return auth.Principal{}, err
	}
	if row.Name == "" {
		return auth.Principal{}, ErrNotFound
	}
	return principal(row)
}

// List visits the robots whose names are greater than after, in order.
func (r *Robots) List(ctx context.Context, after string) iter.Seq2[Robot, error] {
	return func(yield func(Robot, error) bool) {
		for row, err := range r.store.Robots(ctx, after) {
			if !yield(listed(row), err) || err != nil {
				return
			}
		}
	}
}

func listed(row metadata.Robot) Robot {
	rules := row.Rules
	if rules == nil {
		rules = []string{}
	}
	return Robot{Name: row.Name, Rules: rules, Disabled: row.Disabled, Created: row.Created, Expires: row.Expires, Used: row.Used}
}
