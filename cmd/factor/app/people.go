package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/kangbyounggwan/factor/internal/server/account"
	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/config"
	"github.com/kangbyounggwan/factor/internal/server/mail"
	"github.com/kangbyounggwan/factor/internal/server/store"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
	"github.com/prometheus/client_golang/prometheus"
)

// People is who is there and what they may do: the part of the server that the command line needs as well.
type People struct {
	DB         *store.DB
	Bus        *bus.Bus
	Workspaces *workspace.Service
	Audit      *audit.Log
	Mail       *mail.Sender
	Accounts   *account.Service
}

// OpenPeople opens the databases in the settings' data folder and readies the services on them. metrics may be nil.
func OpenPeople(ctx context.Context, s *config.Settings, log *slog.Logger, metrics prometheus.Registerer) (*People, error) {
	db, err := store.Open(ctx, s.Data)
	if err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	p := &People{DB: db, Bus: &bus.Bus{}}
	public := ""
	if u := s.Public(); u != nil {
		public = u.String()
	}
	p.Workspaces = &workspace.Service{DB: db, Bus: p.Bus, Logger: log}
	p.Audit = &audit.Log{DB: db, Workspaces: p.Workspaces, Logger: log, Retention: time.Duration(s.AuditDays) * 24 * time.Hour}
	p.Workspaces.OnChange = p.Audit.WorkspaceChanged
	p.Mail = &mail.Sender{DB: db, SMTP: s.SMTP.Reveal(), From: s.MailFrom, PublicURL: public, Logger: log, Metrics: metrics}
	p.Accounts = &account.Service{
		DB: db, Bus: p.Bus, Workspaces: p.Workspaces, Audit: p.Audit, Mail: p.Mail, Logger: log, Metrics: metrics, PublicURL: public,
	}
	for _, initialize := range []func() error{p.Workspaces.Initialize, p.Audit.Initialize, p.Mail.Initialize, p.Accounts.Initialize} {
		if err := initialize(); err != nil {
			db.Close()
			return nil, err
		}
	}
	return p, nil
}

// Close closes the databases.
func (p *People) Close() error { return p.DB.Close() }
