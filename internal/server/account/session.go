package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

const (
	sessionIdle  = 30 * 24 * time.Hour  // a session ends when it was not used for so long
	sessionLife  = 365 * 24 * time.Hour // and after so long in any case
	pluginLife   = time.Hour
	sessionLimit = 100 // an account's; the one used longest ago makes room
	knownLimit   = 40  // browsers and addresses an account is known from
	agentBytes   = 300 // of the User-Agent kept
)

// Session is somewhere that an account is signed in.
type Session struct {
	ID        string    `json:"id"`
	Current   bool      `json:"current" doc:"The one that asks"`
	CreatedAt time.Time `json:"created_at"`
	LastSeen  time.Time `json:"last_seen" doc:"To the minute"`
	Address   string    `json:"address"`
	UserAgent string    `json:"user_agent"`
}

type sessionRow struct {
	bun.BaseModel `bun:"table:sessions"`

	ID        string `bun:",pk"`
	Hash      string
	UserID    string
	Via       workspace.Via
	CreatedAt int64
	LastSeen  int64
	ExpiresAt int64
	Address   string
	UserAgent string
	Once      bool // it ends with the first registration
}

// newSession signs an account in and gives the secret of its cookie, or the plugin's access token. once: it is good for
// one registration.
func (s *Service) newSession(ctx context.Context, tx bun.Tx, userID string, via workspace.Via, once bool) (secret string, err error) {
	o, now := OriginFrom(ctx), s.Now()
	life := sessionIdle
	secret = newSecret()
	if via == workspace.ViaPlugin {
		life, secret = pluginLife, PluginPrefix+secret
	}
	row := sessionRow{
		ID: newID(), Hash: hashSecret(secret), UserID: userID, Via: via, CreatedAt: now.UnixMilli(), LastSeen: now.UnixMilli(),
		ExpiresAt: now.Add(life).UnixMilli(), Address: clip(o.Address, 64), UserAgent: clip(o.UserAgent, agentBytes),
		Once: once,
	}
	if err := s.makeRoom(ctx, tx, userID); err != nil {
		return "", err
	}
	if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
		return "", fmt.Errorf("write a session: %w", err)
	}
	return secret, nil
}

// makeRoom ends the sessions of an account that were used longest ago when it has too many.
func (s *Service) makeRoom(ctx context.Context, tx bun.Tx, userID string) error {
	var ids []string
	err := tx.NewRaw("SELECT id FROM sessions WHERE user_id = ? ORDER BY last_seen DESC LIMIT 100 OFFSET ?", userID, sessionLimit-1).Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return err
	}
	defer s.publishEnded(ids)
	return exec(ctx, tx, "make room for a session", q("DELETE FROM sessions WHERE id IN (?)", bun.List(ids)))
}

// SessionActor tells who a session cookie belongs to. Errors: problem not_signed_in for one that is unknown or over.
func (s *Service) SessionActor(ctx context.Context, cookie, address, userAgent string) (workspace.Actor, error) {
	return s.secretActor(ctx, cookie, workspace.ViaSession, address, userAgent)
}

func (s *Service) secretActor(ctx context.Context, secret string, via workspace.Via, address, userAgent string) (workspace.Actor, error) {
	if secret == "" || len(secret) > secretLength {
		return workspace.Actor{}, problem.ErrNotSignedIn
	}
	var row struct {
		SessionID, UserID, Name, Language string
		Admin, Once                       bool
		CreatedAt, LastSeen               int64
	}
	now := s.Now()
	err := s.DB.Read.NewRaw(`SELECT s.id AS session_id, s.created_at, s.last_seen, s.once, u.id AS user_id, u.name, u.language, u.admin
		FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.hash = ? AND s.via = ? AND s.expires_at > ? AND u.disabled_at IS NULL`,
		hashSecret(secret), via, now.UnixMilli()).Scan(ctx, &row)
	if errors.Is(err, sql.ErrNoRows) {
		return workspace.Actor{}, problem.ErrNotSignedIn
	}
	if err != nil {
		return workspace.Actor{}, fmt.Errorf("read a session: %w", err)
	}
	if via == workspace.ViaSession && now.Sub(time.UnixMilli(row.LastSeen)) >= useEvery {
		until := min(now.Add(sessionIdle).UnixMilli(), row.CreatedAt+sessionLife.Milliseconds())
		s.uses.session(row.SessionID, sessionUse{now.UnixMilli(), until, clip(address, 64), clip(userAgent, agentBytes)})
	}
	return workspace.Actor{
		UserID: row.UserID, Name: row.Name, Admin: row.Admin, Via: via, SessionID: row.SessionID, Once: row.Once,
		Address: address, Language: row.Language,
	}, nil
}

// ListSessions gives where a user is signed in by a browser, the latest first.
func (s *Service) ListSessions(ctx context.Context, userID, currentID string) ([]Session, error) {
	var rows []sessionRow
	err := s.DB.Read.NewSelect().Model(&rows).Where("user_id = ? AND via = ? AND expires_at > ?", userID, workspace.ViaSession, s.Now().UnixMilli()).
		Order("last_seen DESC", "id DESC").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	list := make([]Session, 0, len(rows))
	for _, r := range rows {
		list = append(list, Session{
			ID: r.ID, Current: r.ID == currentID, CreatedAt: fromMillis(r.CreatedAt), LastSeen: fromMillis(r.LastSeen),
			Address: r.Address, UserAgent: r.UserAgent,
		})
	}
	return list, nil
}

// EndSession signs a user out somewhere. Errors: problem not_found.
func (s *Service) EndSession(ctx context.Context, user workspace.Actor, sessionID string) error {
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewRaw("DELETE FROM sessions WHERE id = ? AND user_id = ?", sessionID, user.UserID).Exec(ctx)
		if err != nil {
			return fmt.Errorf("end a session: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, problem.NotFound("session"))
		}
		return s.record(ctx, tx, user.UserID, "session.end", audit.Target{Kind: "session", ID: sessionID}, nil)
	})
	if err == nil {
		s.Bus.AccessEnded.Publish(bus.AccessEnded{SessionID: sessionID})
	}
	return err
}

// EndSessions signs a user out everywhere, plugins included.
func (s *Service) EndSessions(ctx context.Context, user workspace.Actor) error {
	var ended []string
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		if ended, err = deleteSessions(ctx, tx, user.UserID, ""); err != nil {
			return err
		}
		return s.record(ctx, tx, user.UserID, "session.end_all", audit.Target{Kind: "user", ID: user.UserID, Name: user.Name}, nil)
	})
	if err == nil {
		s.publishEnded(ended)
	}
	return err
}

// deleteSessions ends a user's sessions but the one to keep, and gives those that it ended.
func deleteSessions(ctx context.Context, tx bun.Tx, userID, keepID string) ([]string, error) {
	var ids []string
	if err := tx.NewRaw("SELECT id FROM sessions WHERE user_id = ? AND id <> ?", userID, keepID).Scan(ctx, &ids); err != nil {
		return nil, fmt.Errorf("find sessions: %w", err)
	}
	return ids, exec(ctx, tx, "end sessions",
		q("DELETE FROM sessions WHERE user_id = ? AND id <> ?", userID, keepID),
		q("DELETE FROM setup_codes WHERE user_id = ?", userID)) // a code is a session to come
}

func (s *Service) publishEnded(sessionIDs []string) {
	for _, id := range sessionIDs {
		s.Bus.AccessEnded.Publish(bus.AccessEnded{SessionID: id})
	}
}

// record writes an audit entry that the user sees: in his personal workspace.
func (s *Service) record(ctx context.Context, tx bun.Tx, userID, action string, target audit.Target, detail any) error {
	e := audit.Entry{Action: action, Target: target, Detail: detail, Address: OriginFrom(ctx).Address}
	w, err := s.Workspaces.PersonalID(ctx, tx, userID)
	if err != nil {
		return err
	}
	e.WorkspaceID = w
	return s.Audit.Record(ctx, tx, e)
}

// recordBy is record for somebody who is not signed in yet.
func (s *Service) recordBy(ctx context.Context, tx bun.Tx, u userRow, action string, target audit.Target, detail any) error {
	by := workspace.Actor{UserID: u.ID, Name: u.Name, Via: workspace.ViaSession, Address: OriginFrom(ctx).Address}
	return s.record(workspace.WithActor(ctx, by), tx, u.ID, action, target, detail)
}

// clip shortens text from outside to so many bytes of whole characters.
func clip(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	return validText(s)
}
