package differential

import (
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/berth-registry/berth/audit"
	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/metadata/bolt"
	"github.com/berth-registry/berth/registry"
	"github.com/berth-registry/berth/server"
	"github.com/berth-registry/berth/storage/filesystem"
)

// berth is a whole registry on a directory, as cmd/berth wires it, but for
// who is asking: every request is an administrator's.
type berth struct {
	http.Handler
	meta  *bolt.Store
	files *filesystem.Store
	reg   *registry.Registry
}

// administrator lets everybody in: distribution runs without accounts too.
type administrator struct{}

func (administrator) Authenticate(*http.Request) (auth.Principal, error) {
	return auth.Principal{Kind: auth.User, Name: "root", Admin: true}, nil
}

var _ server.Authenticator = administrator{}

func openBerth(dir string) (*berth, error) {
	files, err := filesystem.Open(filepath.Join(dir, "storage"), filesystem.Options{})
	if err != nil {
		return nil, err
	}
	meta, err := bolt.Open(filepath.Join(dir, "berth.db"), bolt.Options{})
	if err != nil {
		return nil, errors.Join(err, files.Close())
	}
	b := &berth{meta: meta, files: files}
	b.reg = registry.New(meta, files, registry.Options{
		MaxManifest: 4 << 20, // the default, and distribution's constant
		MaxSessions: 1000,
		SessionIdle: 24 * time.Hour,
		Sparse:      func(string) bool { return false },
		Now:         time.Now,
		Log:         slog.New(slog.DiscardHandler),
	})
	b.Handler = server.New(server.Config{
		Registry:    b.reg,
		Auth:        administrator{},
		Gate:        auth.Gate{Policy: auth.NewLive(auth.NewPolicy(nil))},
		MaxManifest: 4 << 20,
		Audit:       forgetful{},
		Metrics:     server.NewRecording(prometheus.NewRegistry()),
		Log:         slog.New(slog.DiscardHandler),
		Now:         time.Now,
	})
	return b, nil
}

// forgetful is an audit trail that keeps nothing.
type forgetful struct{}

func (forgetful) Record(audit.Entry) {}

func (b *berth) close() error {
	b.reg.Close()
	return errors.Join(b.meta.Close(), b.files.Close())
}
