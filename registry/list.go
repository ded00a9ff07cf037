package registry

import (
	"context"
	"iter"

	"github.com/berth-registry/berth/oci"
)

// Tags visits the tags of repo greater than after, in byte order.
// NAME_UNKNOWN if the repository does not exist.
func (r *Registry) Tags(ctx context.Context, repo, after string) (iter.Seq2[string, error], error) {
	found, err := r.meta.Exists(ctx, repo)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, oci.ErrNameUnknown
	}
	return r.meta.Tags(ctx, repo, after), nil
}

// Repositories visits the names of all repositories greater than after, in
// byte order. It does not ask who may see them: the caller does.
func (r *Registry) Repositories(ctx context.Context, after string) iter.Seq2[string, error] {
	return r.meta.Repositories(ctx, after)
}
