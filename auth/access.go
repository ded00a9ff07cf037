package auth

// Types of resources in scopes and tokens, and the one name of TypeRegistry.
const (
	TypeRepository = "repository"
	TypeRegistry   = "registry"
	NameCatalog    = "catalog"
)

// Access is actions on a resource: a scope that is asked for, or an entry of
// the access claim of a token (distribution, docs/content/spec/auth/jwt.md).
type Access struct {
	Type    string  `json:"type"`
	Name    string  `json:"name"`
	Actions Actions `json:"actions"`
}

// Repository is the access to a repository.
func Repository(name string, actions Actions) Access {
	return Access{Type: TypeRepository, Name: name, Actions: actions}
}

// Catalog is the access to the listing of repositories: registry:catalog:*.
func Catalog() Access { return Access{Type: TypeRegistry, Name: NameCatalog, Actions: All} }

// String writes the access as a scope: repository:a/b:pull,push.
func (a Access) String() string { return a.Type + ":" + a.Name + ":" + a.Actions.String() }

// same reports whether both are about one resource.
func (a Access) same(b Access) bool { return a.Type == b.Type && a.Name == b.Name }
