package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/berth-registry/berth/server"
)

// drain is how long a stopping server lets requests finish. Together with
// what comes after, it stays below 30 s.
const drain = 20 * time.Second

// listeners are the HTTP servers of one process: they start and stop
// together.
type listeners struct {
	log     *slog.Logger
	servers []*http.Server
	serve   []func() error
	active  sync.WaitGroup // requests being served
}

// add prepares a server on l; cert may be nil.
func (ls *listeners) add(name string, l net.Listener, h http.Handler, cert *certificate) {
	hs := &http.Server{
		Handler:  ls.tracked(h),
		ErrorLog: slog.NewLogLogger(ls.log.With("listener", name).Handler(), slog.LevelWarn),
	}
	server.Timeouts(hs)
	run := func() error { return hs.Serve(l) }
	if cert != nil {
		hs.TLSConfig = cert.config()
		run = func() error { return hs.ServeTLS(l, "", "") }
	}
	ls.log.Info("listening", "listener", name, "address", l.Addr().String(), "tls", cert != nil)
	ls.servers = append(ls.servers, hs)
	ls.serve = append(ls.serve, run)
}

// tracked counts requests, so that the stores are closed after the last one.
func (ls *listeners) tracked(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ls.active.Add(1)
		defer ls.active.Done()
		h.ServeHTTP(w, r)
	})
}

// run serves until ctx ends or a listener fails, then drains: no new
// connections, requests under way may finish; those that do not are cut off,
// and their uploads stay resumable.
func (ls *listeners) run(ctx context.Context) error {
	failed := make(chan error, len(ls.serve))
	for _, serve := range ls.serve {
		go func() { failed <- serve() }()
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	ls.log.Info("stopping", "drain", drain)
	until, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	var all sync.WaitGroup
	for _, hs := range ls.servers {
		all.Go(func() {
			if hs.Shutdown(until) != nil {
				_ = hs.Close()
			}
		})
	}
	all.Wait()
	ls.active.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// listenAdmin opens the admin socket: mode 0600 in a directory of mode 0700,
// because whoever may open it is an administrator.
func listenAdmin(ctx context.Context, path string) (net.Listener, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("http.admin_socket: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("http.admin_socket: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("http.admin_socket: others may open %s (mode %04o): make it 0700", dir, info.Mode().Perm())
	}
	if err := removeStale(ctx, path); err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("http.admin_socket: %w", err)
	}
	return l, os.Chmod(path, 0o600)
}

// removeStale removes the socket of a process that was killed.
func removeStale(ctx context.Context, path string) error {
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err == nil {
		conn.Close()
		return fmt.Errorf("http.admin_socket: another server listens on %s", path)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSocket == 0 {
		return nil
	}
	return os.Remove(path)
}
