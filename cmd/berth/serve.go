package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-registry/berth/config"
)

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Serve the registry",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return serve(ctx, c, func() (config.Config, error) { return load(cmd) })
		},
	}
}

// serve runs the registry until ctx ends. reload reads the configuration
// again.
func serve(ctx context.Context, c config.Config, reload func() (config.Config, error)) (err error) {
	defer runtime.KeepAlive(ballast())
	level := new(slog.LevelVar)
	log, flush := newLog(c.Log, level)
	defer flush()
	log.Info("starting", "version", version)
	hangup := make(chan os.Signal, 1) // from the start on: it would end the process
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	r, err := wire(c, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()

	ls := &listeners{log: log}
	if err := r.listen(ctx, ls, c); err != nil {
		return err
	}
	go r.maintain(ctx, log)
	go r.issuers.Run(ctx)
	for _, c := range r.limits.chores() {
		go c.run(ctx, log)
	}
	if r.cert.obtains() {
		go r.cert.acme.watch(ctx, log)
	}
	go onSignal(ctx, hangup, func() {
		r.reopenAudit(log)
		r.reload(reload, level, log)
	})
	err = ls.run(ctx)
	log.Info("stopped")
	return err
}

// ballast is a part of the heap that is never touched, so no page of memory
// stands behind it. A quiet berth keeps some MiB alive, and the collector would
// run after every few hundred requests; with this it runs after 16 MiB more.
func ballast() []byte { return make([]byte, 16<<20) }

// listen opens every listener before the first request is served, so that a
// taken port is a failed start.
func (r *running) listen(ctx context.Context, ls *listeners, c config.Config) error {
	tcp := func(addr string) (net.Listener, error) { return new(net.ListenConfig).Listen(ctx, "tcp", addr) }
	main, err := tcp(c.HTTP.Addr)
	if err != nil {
		return fmt.Errorf("http.addr: %w", err)
	}
	ls.add("registry", main, r.server, r.cert)
	if addr := c.HTTP.TLS.ACME.HTTP; r.cert.obtains() && addr != "" {
		challenges, err := tcp(addr)
		if err != nil {
			return fmt.Errorf("http.tls.acme.http: %w", err)
		}
		ls.add("acme", challenges, r.cert.acme.challenges(), nil)
	}
	admin, err := listenAdmin(ctx, c.HTTP.AdminSocket)
	if err != nil {
		return err
	}
	ls.add("admin", admin, r.api.Socket(), nil)
	if c.Metrics.Addr == "" {
		return nil
	}
	metrics, err := tcp(c.Metrics.Addr)
	if err != nil {
		return fmt.Errorf("metrics.addr: %w", err)
	}
	ls.add("metrics", metrics, r.metrics.Handler(), nil)
	return nil
}

// expireEvery is how often forgotten uploads are looked for.
const expireEvery = 5 * time.Minute

// maintain does what is to be done from time to time.
func (r *running) maintain(ctx context.Context, log *slog.Logger) {
	ticker := time.NewTicker(expireEvery)
	defer ticker.Stop()
	for {
		n, err := r.registry.Expire(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			log.Error("forgotten uploads not all removed", "removed", n, "error", err)
		case n > 0:
			log.Info("forgotten uploads removed", "removed", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// onSignal calls f for every signal of c until ctx ends.
func onSignal(ctx context.Context, c <-chan os.Signal, f func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c:
			f()
		}
	}
}
