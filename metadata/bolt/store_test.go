package bolt

import (
	"path/filepath"
	"testing"

	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/metadata/metadatatest"
)

func TestStore(t *testing.T) { metadatatest.Run(t, fresh) }

func BenchmarkStore(b *testing.B) { metadatatest.Bench(b, fresh) }

func fresh(tb testing.TB) metadatatest.Opener {
	path := filepath.Join(tb.TempDir(), "data", "berth.db")
	return func() (metadata.Store, error) { return Open(path, Options{}) }
}
