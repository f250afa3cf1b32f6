package git

import (
	"context"
	"strings"
)

// Config is the value of a key in the repository's own configuration, which its linked work trees share; "" is none.
func (r *Repo) Config(ctx context.Context, key string) (string, error) {
	out, err := r.run(ctx, nil, "config", "--local", "--null", "--get", key)
	if status(err) == 1 {
		return "", nil
	}
	return strings.TrimSuffix(string(out), "\x00"), err
}

// SetConfig sets a key of it, in the place of all values it has.
func (r *Repo) SetConfig(ctx context.Context, key, value string) error {
	_, err := r.run(ctx, nil, "config", "--local", "--replace-all", key, value)
	return err
}

// UnsetConfig takes a key that is there out of it.
func (r *Repo) UnsetConfig(ctx context.Context, key string) error {
	_, err := r.run(ctx, nil, "config", "--local", "--unset-all", key)
	return err
}
