package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/metadata"
	"github.com/berth-registry/berth/ratelimit/usage"
)

// Usages is where usage is read from, and the names of the tokens in it. Errors
// are those of the metadata contract.
type Usages interface {
	Usage(ctx context.Context, from, to time.Time) iter.Seq2[metadata.Usage, error]
	Token(ctx context.Context, id string) (metadata.Token, error)
}

// UsageRow is a line of the usage report.
type UsageRow = usage.Row

// defaultReport is how far back a report goes that does not say.
const defaultReport = 24 * time.Hour

var period = []parameter{
	{name: "from", text: "from this time on, RFC 3339; a day before `to` if absent"},
	{name: "to", text: "hours that begin before this time; now if absent"},
}

// getUsage writes the list row by row: it may be long.
func (a *API) getUsage(w http.ResponseWriter, r *http.Request, _ caller) error {
	rows, err := a.usageRows(r)
	if err != nil {
		return err
	}
	return a.stream(w, "application/json", func(out io.Writer) error {
		separator := "["
		for row, err := range rows {
			if err != nil {
				return err
			}
			body, err := json.Marshal(row)
			if err != nil {
				return err
			}
			if _, err := io.WriteString(out, separator+string(body)); err != nil {
				return err
			}
			separator = ",\n"
		}
		end := "]\n"
		if separator == "[" {
			end = "[]\n"
		}
		_, err := io.WriteString(out, end)
		return err
	})
}

func (a *API) getUsageCSV(w http.ResponseWriter, r *http.Request, _ caller) error {
	rows, err := a.usageRows(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="usage.csv"`)
	return a.stream(w, "text/csv", func(out io.Writer) error { return usage.WriteCSV(out, rows) })
}

// stream writes an answer while it is being made. If that fails when a part is
// sent already the connection is cut, so that nobody takes it for the whole.
func (a *API) stream(w http.ResponseWriter, mediaType string, write func(io.Writer) error) error {
	out := &begun{Writer: w}
	w.Header().Set("Content-Type", mediaType)
	err := write(out)
	if err != nil && out.begun {
		a.Log.Error("a report was broken off", "error", err)
		panic(http.ErrAbortHandler)
	}
	return err
}

// begun knows whether something was written.
type begun struct {
	io.Writer
	begun bool
}

func (b *begun) Write(p []byte) (int, error) {
	b.begun = true
	return b.Writer.Write(p)
}

func (a *API) usageRows(r *http.Request) (iter.Seq2[usage.Row, error], error) {
	to, err := moment(r, "to", a.Now())
	if err != nil {
		return nil, err
	}
	from, err := moment(r, "from", to.Add(-defaultReport))
	if err != nil {
		return nil, err
	}
	names := usage.Names{
		Token:  func(id string) (string, error) { return a.tokenName(r.Context(), id) },
		Public: func(repo string) bool { return a.Policy.Load().Decide(auth.Principal{}, repo, auth.Pull).Allowed },
	}
	return names.Rows(a.Usage.Usage(r.Context(), from, to)), nil
}

func moment(r *http.Request, name string, absent time.Time) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return absent, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%w: %s is a time such as 2006-01-02T15:04:05Z", errQuery, name)
	}
	return t, nil
}

// tokenName is "" for a token that is gone.
func (a *API) tokenName(ctx context.Context, id string) (string, error) {
	t, err := a.Usage.Token(ctx, id)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return t.Name, err
}
