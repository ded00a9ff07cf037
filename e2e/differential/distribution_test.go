package differential

import (
	"context"
	"io"
	"net/http"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem" // the driver "filesystem"
	"github.com/sirupsen/logrus"
)

// openDistribution returns distribution's registry on a directory, with the
// defaults of its program and deleting switched on. It holds nothing in
// memory, so that emptying the directory makes it a new one.
func openDistribution(dir string) http.Handler {
	logrus.SetOutput(io.Discard)
	logrus.SetLevel(logrus.PanicLevel) // or it formats what nobody reads
	c := &configuration.Configuration{
		Storage: configuration.Storage{
			"filesystem":  configuration.Parameters{"rootdirectory": dir},
			"delete":      configuration.Parameters{"enabled": true},
			"maintenance": configuration.Parameters{"uploadpurging": map[any]any{"enabled": false}},
		},
	}
	c.Catalog.MaxEntries = 1000 // the configuration parser's defaults
	c.Tags.MaxTags = 1000
	c.HTTP.Secret = "differential"
	return handlers.NewApp(context.Background(), c)
}
