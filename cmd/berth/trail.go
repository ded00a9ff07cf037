package main

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/berth-registry/berth/audit"
	"github.com/berth-registry/berth/config"
)

// openAudit opens the audit trail.
func (r *running) openAudit(c config.Log, log *slog.Logger) (err error) {
	if r.audit, err = audit.Open(audit.Options{Path: c.Audit, Stdout: os.Stdout, Log: log}); err != nil {
		return fmt.Errorf("log.audit: %w", err)
	}
	r.closers = append(r.closers, r.audit.Close)
	r.countAudit()
	return nil
}

// reopenAudit is the other half of a SIGHUP: logrotate has given the file
// another name.
func (r *running) reopenAudit(log *slog.Logger) {
	if err := r.audit.Reopen(); err != nil {
		log.Error("the audit trail cannot be opened anew, lines go on to the old file", "error", err)
	}
}

// reloaded is an act of administration like any other: it can change what
// everybody may do.
func (r *running) reloaded(err error) {
	e := audit.Entry{Time: time.Now(), Principal: "process", Action: audit.Admin, Request: "reload", Outcome: audit.OK}
	if err != nil {
		e.Outcome, e.Detail = audit.Failed, "the configuration is bad, the old one stays"
	}
	r.audit.Record(e)
}
