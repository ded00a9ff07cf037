package account

import "errors"

// Why users cannot be changed as asked. The names and passwords that are
// refused get sentences of their own, which wrap ErrInvalid and may be shown.
var (
	// ErrInvalid means a name, group or password against the rules.
	ErrInvalid = errors.New("invalid")
	// ErrExists means that a user of that name is there already.
	ErrExists = errors.New("this user exists already")
	// ErrNotFound means that there is no user of that name. It wraps nothing:
	// the store's fs.ErrNotExist ends here.
	ErrNotFound = errors.New("there is no such user")
	// ErrStatic means a user of the configuration file, to be changed there.
	ErrStatic = errors.New("this user is defined in the configuration (auth.users) and can only be changed there")
	// ErrLastAdmin means that nobody would be left to administer.
	ErrLastAdmin = errors.New("this is the last administrator")
	// ErrProvided means a user for whom a provider of identities vouches.
	ErrProvided = errors.New("this user logs in at a provider of identities, which keeps the password and the groups")
)
