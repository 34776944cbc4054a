package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/kangbyounggwan/factor/cmd/factor/app"
	"github.com/kangbyounggwan/factor/internal/server/config"
	"github.com/kangbyounggwan/factor/internal/server/web/certs"
)

const settle = 5 * time.Second

type serveCommand struct {
	config.Settings `embed:""`
}

// Run serves until ctx ends, which a signal does; then it stops in order.
func (c *serveCommand) Run(ctx context.Context, s *streams) error {
	server := &app.Server{Settings: c.Settings, Version: version, Log: newLog(s.err, &c.Settings)}
	if err := server.Run(ctx); err != nil {
		return err
	}
	if err := greet(ctx, s, server); err != nil {
		server.Log.Error("the set-up code could not be read", "error", err)
	}
	// The start needs more memory than the rest of an idle server's life: give it back.
	settled := time.AfterFunc(settle, tidy)
	defer settled.Stop()
	<-ctx.Done()
	fmt.Fprintln(s.out, s.say("Stopping …", "종료하는 중 …"))
	return server.Close()
}

func newLog(w io.Writer, s *config.Settings) *slog.Logger {
	options := &slog.HandlerOptions{Level: s.Level()}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// greet says where the server is to be found, and how the first account is made.
func greet(ctx context.Context, s *streams, server *app.Server) error {
	at := server.Addresses()
	fmt.Fprintf(s.out, s.say("FACTOR %s is ready.\n", "FACTOR %s 준비가 끝났습니다.\n"), server.Version)
	urls := pageURLs(&server.Settings, at)
	for i, u := range urls {
		label := ""
		if i == 0 {
			label = s.say("pages", "웹 페이지")
		}
		fmt.Fprintf(s.out, "  %s%s\n", pad(label, 12), u)
	}
	for label, address := range map[string]string{"mqtts": at.MQTTS, "mqtt": at.MQTT} {
		if address != "" {
			fmt.Fprintf(s.out, "  %s%s://%s\n", pad(s.say("printers", "프린터"), 12), label, address)
		}
	}
	code, err := server.Accounts.SetupCode(ctx)
	if err != nil || code == "" {
		return err
	}
	fmt.Fprintf(s.out, s.say(
		"\nNobody has an account here yet. Open %s/welcome and make the first one, the administrator's, with this\n  set-up code: %s\n",
		"\n아직 계정이 없습니다. %s/welcome 에서 다음 설정 코드로 첫 계정(관리자)을 만드세요.\n  설정 코드 (set-up code): %s\n"), urls[0], code)
	return nil
}

// pageURLs lists the addresses of the pages, the best first.
func pageURLs(settings *config.Settings, at app.RunInfo) []string {
	var urls []string
	if u := settings.Public(); u != nil {
		urls = append(urls, u.String())
	}
	for _, l := range []struct{ scheme, address string }{{"http", at.HTTP}, {"https", at.HTTPS}} {
		host, port, err := net.SplitHostPort(l.address)
		if err != nil {
			continue
		}
		for _, name := range reachedBy(host) {
			urls = append(urls, l.scheme+"://"+net.JoinHostPort(name, port))
		}
	}
	return urls
}

// reachedBy gives the names to try for a listening host: itself, or for all interfaces this machine and its first
// address in the network.
func reachedBy(host string) []string {
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.IsUnspecified() {
		return []string{host}
	}
	names := []string{"localhost"}
	for _, name := range certs.OwnNames() {
		if a, err := netip.ParseAddr(name); err == nil && a.Is4() && !a.IsLoopback() {
			return append(names, name)
		}
	}
	return names
}

// pad fills a label up to width columns; Hangul takes two each.
func pad(label string, width int) string {
	columns := 0
	for _, r := range label {
		columns++
		if r >= 0x1100 {
			columns++
		}
	}
	return label + strings.Repeat(" ", max(1, width-columns))
}
