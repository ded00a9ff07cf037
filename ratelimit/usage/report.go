package usage

import (
	"encoding/csv"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/berth-registry/berth/auth"
	"github.com/berth-registry/berth/metadata"
)

// Row is a line of a report. The names are those of Docker Hub's columns.
type Row struct {
	Hour          time.Time `json:"hour"`                        // its beginning
	User          string    `json:"user_name,omitempty"`         // as it logs in, or "<who>:<subject>" of who is outside; empty: anonymous
	Repository    string    `json:"repository,omitempty"`        // empty: of many that there was no room for
	Token         string    `json:"access_token_name,omitempty"` // of a personal token
	Client        string    `json:"ips,omitempty"`               // one address
	Privacy       string    `json:"repository_privacy,omitempty"`
	Tag           string    `json:"tag,omitempty"` // if it was asked for by tag
	Digest        string    `json:"digest,omitempty"`
	VersionChecks int64     `json:"version_checks"` // HEAD, and 304
	Pulls         int64     `json:"pulls"`
}

// Names is what a report looks up.
type Names struct {
	Token  func(id string) (string, error) // of a personal token; "" if it is gone
	Public func(repo string) bool          // may everybody pull it?
}

// Rows turns what is stored into the lines of a report.
func (n Names) Rows(stored iter.Seq2[metadata.Usage, error]) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		tokens := map[string]string{} // of an hour there are few
		for u, err := range stored {
			var r Row
			if err == nil {
				r, err = n.row(u, tokens)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (n Names) row(u metadata.Usage, tokens map[string]string) (Row, error) {
	r := Row{
		Hour: u.Hour, User: login(u.User), Repository: u.Repo, Client: u.Client, Tag: u.Tag, Digest: string(u.Digest),
		VersionChecks: u.Checks, Pulls: u.Pulls,
	}
	if u.Repo != "" {
		r.Privacy = "private"
		if n.Public(u.Repo) {
			r.Privacy = "public"
		}
	}
	if u.Token == "" {
		return r, nil
	}
	name, known := tokens[u.Token]
	if !known {
		var err error
		if name, err = n.Token(u.Token); err != nil {
			return r, err
		}
		tokens[u.Token] = name
	}
	if r.Token = name; name == "" {
		r.Token = u.Token
	}
	return r, nil
}

// login turns the ID of a principal into the name that it logs in with.
func login(id string) string {
	kind, name, _ := strings.Cut(id, ":")
	if kind == auth.Robot.String() && name != "" {
		return auth.RobotPrefix + name
	}
	return name
}

// columns are those of the reports of Docker Hub (docs.docker.com, "Docker Hub
// usage and limits"), in their order.
var columns = []string{"datehour", "user_name", "repository", "access_token_name", "ips", "repository_privacy", "tag", "digest", "version_checks", "pulls"}

// WriteCSV writes a report, a line for each row under the names of the columns.
func WriteCSV(w io.Writer, rows iter.Seq2[Row, error]) error {
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return err
	}
	for r, err := range rows {
		if err == nil {
			err = out.Write([]string{
				r.Hour.UTC().Format("2006/01/02/15"), cell(r.User), r.Repository, cell(r.Token), r.Client, r.Privacy, r.Tag, r.Digest,
				strconv.FormatInt(r.VersionChecks, 10), strconv.FormatInt(r.Pulls, 10),
			})
		}
		if err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// cell keeps a spreadsheet from taking for a formula what somebody has named.
func cell(s string) string {
	if s != "" && (s[0] == '=' || s[0] == '+' || s[0] == '-' || s[0] == '@' || s[0] < ' ') {
		return "'" + s
	}
	return s
}
