package auth

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Door sends credentials to the verifier that their form belongs to. One that
// is nil knows nobody.
//
//	name robot$…              Robots
//	secret berth_pat_…        Personal
//	secret that looks a JWT   Outside, if there is one
//	anything else             Users
type Door struct {
	Robots, Personal, Outside, Users PasswordVerifier
}

var _ PasswordVerifier = Door{}

// PersonalPrefix begins every personal token.
const PersonalPrefix = SecretPrefix + "pat_"

// SecretPrefix is what every secret that berth makes begins with, by which
// scanners of code find one that was left there. No user is called so.
const SecretPrefix = "berth_"

// minJWT is the least length of what is taken for a JWT, in bytes: more than
// any password has, so that none is mistaken for one.
const minJWT = 73

// Login implements PasswordVerifier.
func (d Door) Login(ctx context.Context, c Credentials, now time.Time) (Principal, error) {
	v := d.Users
	switch {
	case strings.HasPrefix(c.Name, RobotPrefix):
		v = d.Robots
	case strings.HasPrefix(c.Secret, PersonalPrefix):
		v = d.Personal
	case d.Outside != nil && LooksLikeJWT(c.Secret):
		v = d.Outside
	}
	if v == nil {
		return Principal{}, ErrBadCredentials
	}
	return v.Login(ctx, c, now)
}

// LooksLikeJWT reports whether a secret has the form of a signed JWT: three
// parts between dots, of which the first is the base64 of a JSON object.
func LooksLikeJWT(secret string) bool {
	return len(secret) >= minJWT && strings.HasPrefix(secret, "eyJ") && strings.Count(secret, ".") == 2
}

// Standings asks whoever knows a principal whether it still stands. One that
// is nil knows nobody, and nobody of its kind stands.
type Standings struct {
	Robots, Personal, Outside, Users Standing
}

var _ Standing = Standings{}

// Standing implements Standing. Who came by a personal token stands if the
// token does and its owner.
func (s Standings) Standing(ctx context.Context, p Principal, now time.Time) error {
	switch p.Kind {
	case Anonymous:
		return nil
	case Robot:
		return stands(ctx, s.Robots, p, now)
	case Outside:
		return stands(ctx, s.Outside, p, now)
	case User:
		if p.Credential != "" {
			if err := stands(ctx, s.Personal, p, now); err != nil {
				return err
			}
		}
		return stands(ctx, s.Users, p, now)
	}
	return stands(ctx, nil, p, now)
}

func stands(ctx context.Context, s Standing, p Principal, now time.Time) error {
	if s == nil {
		return fmt.Errorf("%w: there are no principals of kind %s any more", ErrInvalidToken, p.Kind)
	}
	return s.Standing(ctx, p, now)
}
