package metadata

import (
	"context"
	"iter"
	"time"
)

// User is a person who logs in with a password, or for whom a provider of
// identities vouches.
type User struct {
	Name     string    `json:"name"`
	Bcrypt   string    `json:"bcrypt"` // "" if there is a Provider
	Groups   []string  `json:"groups,omitempty"`
	Admin    bool      `json:"admin,omitempty"`
	Provider string    `json:"provider,omitempty"` // who vouches; "": nobody, the password is kept here
	Subject  string    `json:"subject,omitempty"`  // who this is to the provider
	Created  time.Time `json:"created"`
	Changed  time.Time `json:"changed"` // of the password; for who has a Subject the last login
}

// Users is the role of accounts.
type Users interface {
	// User returns a user. fs.ErrNotExist if absent.
	User(ctx context.Context, name string) (User, error)

	// AddUser stores a new user, and removes the personal tokens that somebody
	// of the name has left who was in no row. ErrExists if the name is taken.
	AddUser(ctx context.Context, u User) error

	// UpdateUser changes a stored user inside a transaction, in which change
	// may run more than once. fs.ErrNotExist if absent; an error of change is
	// returned as it is and nothing stored.
	UpdateUser(ctx context.Context, name string, change func(*User) error) error

	// RemoveUser removes a user with all tokens that are the user's, in one
	// transaction: who gets the name later gets nothing with it.
	// fs.ErrNotExist if absent.
	RemoveUser(ctx context.Context, name string) error

	// Users visits all users in order of name.
	Users(ctx context.Context) iter.Seq2[User, error]
}

// Robot is a machine that logs in with a secret of its own.
type Robot struct {
	Name     string    `json:"name"`
	Secret   []byte    `json:"secret"`          // SHA-256 of it
	Rules    []string  `json:"rules,omitempty"` // what it may, as the text of rules
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires,omitzero"` // zero: never
	Disabled bool      `json:"disabled,omitempty"`
	Used     time.Time `json:"used,omitzero"` // the last time, about; zero: never
}

// Robots is the role of robots. Names are text without a zero byte.
type Robots interface {
	// Robot returns a robot. fs.ErrNotExist if absent.
	Robot(ctx context.Context, name string) (Robot, error)

	// AddRobot stores a new robot. ErrExists if the name is taken.
	AddRobot(ctx context.Context, r Robot) error

	// UpdateRobot is to robots what UpdateUser is to users.
	UpdateRobot(ctx context.Context, name string, change func(*Robot) error) error

	// RemoveRobot removes a robot. fs.ErrNotExist if absent.
	RemoveRobot(ctx context.Context, name string) error

	// Robots visits the robots whose names are greater than after, in order.
	Robots(ctx context.Context, after string) iter.Seq2[Robot, error]
}

// Token is a personal token: a second secret of its owner.
type Token struct {
	ID       string    `json:"id"`
	Owner    string    `json:"owner"` // name of a user, who need not be stored
	Name     string    `json:"name"`  // the owner's, to know it by
	Secret   []byte    `json:"secret"`
	Narrowed bool      `json:"narrowed,omitempty"` // to Rules
	Rules    []string  `json:"rules,omitempty"`
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires,omitzero"` // zero: never
	Used     time.Time `json:"used,omitzero"`    // the last time, about; zero: never
}

// Tokens is the role of personal tokens. Ids and owners are text without a
// zero byte.
type Tokens interface {
	// Token returns a token. fs.ErrNotExist if absent.
	Token(ctx context.Context, id string) (Token, error)

	// AddToken stores a new token. ErrExists if the id is taken, or the owner
	// has one of that name; ErrTooMany if the owner has most already.
	AddToken(ctx context.Context, t Token, most int) error

	// UpdateToken is to tokens what UpdateUser is to users. Neither id nor
	// owner nor name can change.
	UpdateToken(ctx context.Context, id string, change func(*Token) error) error

	// RemoveToken removes a token. fs.ErrNotExist if absent.
	RemoveToken(ctx context.Context, id string) error

	// Tokens visits the tokens of an owner, or of all if owner is empty, whose
	// ids are greater than after, in order of their ids.
	Tokens(ctx context.Context, owner, after string) iter.Seq2[Token, error]
}
