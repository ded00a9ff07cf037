package robot

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/auth/internal/secret"
	"github.com/berth-registry/berth/metadata"
)

// Login implements auth.PasswordVerifier for names that begin with
// auth.RobotPrefix.
func (r *Robots) Login(ctx context.Context, c auth.Credentials, now time.Time) (auth.Principal, error) {
	name, is := strings.CutPrefix(c.Name, auth.RobotPrefix)
	if !is || auth.CheckRobot(name) != nil {
		return auth.Principal{}, auth.ErrBadCredentials
	}
	row, err := r.find(ctx, name)
	if err != nil {
		return auth.Principal{}, err
	}
	if !secret.Fits(row.Secret, c.Secret) || !usable(row, now) {
		return auth.Principal{}, auth.ErrBadCredentials
	}
	p, err := principal(row)
	if err == nil {
		r.used.Note(name, row.Used, now)
	}
	return p, err
}

func usable(row metadata.Robot, now time.Time) bool {
	return row.Name != "" && !row.Disabled && (row.Expires.IsZero() || now.Before(row.Expires))
}

func principal(row metadata.Robot) (auth.Principal, error) {
	rules, err := auth.ParseRules(row.Rules)
	if err != nil {
		return auth.Principal{}, fmt.Errorf("rules of the robot %s: %w", row.Name, err)
	}
	return auth.Principal{Kind: auth.Robot, Name: row.Name, Own: rules, Credential: credential(row)}, nil
}

// credential names a robot's secret and tells nothing of it.
func credential(row metadata.Robot) string {
	return hex.EncodeToString(row.Secret[:min(8, len(row.Secret))])
}

// Standing implements auth.Standing: the robot is there with the same secret,
// neither disabled nor expired, and has all the rules that the token says.
func (r *Robots) Standing(ctx context.Context, p auth.Principal, now time.Time) error {
	row, err := r.rows.Get(p.Name, now, func() (metadata.Robot, error) { return r.find(ctx, p.Name) })
	switch {
	case err != nil:
		return err
	case !usable(row, now):
		return fmt.Errorf("%w: the robot has been removed or disabled, or has expired", auth.ErrInvalidToken)
	case p.Credential != credential(row):
		return fmt.Errorf("%w: the robot has another secret", auth.ErrInvalidToken)
	}
	for _, rule := range p.Own {
		if !slices.Contains(row.Rules, rule.String()) {
			return fmt.Errorf("%w: the robot has other rules", auth.ErrInvalidToken)
		}
	}
	return nil
}
