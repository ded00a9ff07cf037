package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/berth-registry/berth/config"
)

// TestDashboard holds the metrics that the Grafana dashboard asks for against
// those that there are.
func TestDashboard(t *testing.T) {
	i := newInstance(t)
	i.write(t, "anonymous", "")
	i.append(t, "redis: {url: 'unix:///nowhere/redis.sock'}\n")
	c, err := config.Load(i.file, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := wire(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	rec := httptest.NewRecorder()
	r.metrics.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	metrics, err := io.ReadAll(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../deploy/grafana/pull-limits.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			names := regexp.MustCompile(`berth_[a-z_]+`).FindAllString(target.Expr, -1)
			if len(names) == 0 {
				t.Errorf("%s asks for no metric: %s", p.Title, target.Expr)
			}
			for _, name := range names {
				asked++
				if name = strings.TrimSuffix(name, "_bucket"); !strings.Contains(string(metrics), "# TYPE "+name+" ") {
					t.Errorf("%s: there is no metric %s", p.Title, name)
				}
			}
		}
	}
	if asked < 7 {
		t.Errorf("%d metrics in %d panels", asked, len(dashboard.Panels))
	}
}
