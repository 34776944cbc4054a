package account

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/audit"
	"github.com/kangbyounggwan/factor/internal/server/bus"
	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

// AdminUser is an account as the administrator sees it.
type AdminUser struct {
	User
	Disabled bool       `json:"disabled" doc:"Cannot sign in, and neither can its tokens"`
	LastSeen *time.Time `json:"last_seen,omitempty" doc:"When it was last used in a browser"`
}

// UserPage is one page of accounts. Next is what after is for the following one.
type UserPage struct {
	Items []AdminUser `json:"items"`
	Next  string      `json:"next,omitempty"`
}

var errOwnAccount = problem.New(http.StatusConflict, "own_account", "You cannot do this to your own account here. See your account page.")

// ListUsers gives accounts, oldest first; text is part of a name or an address, after the id to go on behind.
func (s *Service) ListUsers(ctx context.Context, text, after string, limit int) (UserPage, error) {
	page := UserPage{Items: []AdminUser{}}
	var rows []userRow
	sel := s.DB.Read.NewSelect().Model(&rows).Where("id > ?", after).Order("id").Limit(int64(limit) + 1)
	if text != "" {
		like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
		sel = sel.Where(`(name LIKE ?0 ESCAPE '\' OR email LIKE ?0 ESCAPE '\')`, like)
	}
	if err := sel.Scan(ctx); err != nil {
		return page, fmt.Errorf("list accounts: %w", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		page.Next = rows[limit-1].ID
	}
	var err error
	page.Items, err = s.adminUsers(ctx, rows)
	return page, err
}

func (s *Service) adminUsers(ctx context.Context, rows []userRow) ([]AdminUser, error) {
	list, ids := make([]AdminUser, 0, len(rows)), make([]string, 0, len(rows))
	for _, u := range rows {
		ids = append(ids, u.ID)
	}
	workspaces, err := s.Workspaces.PersonalsOf(ctx, ids)
	if err != nil || len(ids) == 0 {
		return list, err
	}
	var seen []struct {
		UserID string
		Seen   int64
	}
	err = s.DB.Read.NewRaw("SELECT user_id, MAX(last_seen) AS seen FROM sessions WHERE user_id IN (?) GROUP BY user_id", bun.List(ids)).Scan(ctx, &seen)
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	last := map[string]int64{}
	for _, r := range seen {
		last[r.UserID] = r.Seen
	}
	for _, u := range rows {
		list = append(list, AdminUser{User: u.user(workspaces[u.ID]), Disabled: u.DisabledAt != 0, LastSeen: orNil(last[u.ID])})
	}
	return list, nil
}

// SetUser makes an account an administrator's or not, enables or disables it; nil leaves a thing alone. Its open
// connections end. Errors: problems not_found, own_account, last_admin.
func (s *Service) SetUser(ctx context.Context, by workspace.Actor, id string, admin, disabled *bool) (AdminUser, error) {
	var u userRow
	err := s.DB.Write(ctx, func(ctx context.Context, tx bun.Tx) (err error) {
		if u, err = findUser(ctx, tx, "id = ?", id); err != nil {
			return err
		}
		if disabled != nil && *disabled && id == by.UserID {
			return errOwnAccount
		}
		if (disabled != nil && *disabled) || (admin != nil && !*admin) {
			if last, err := isLastAdmin(ctx, tx, u); err != nil || last {
				return orElse(err, errLastAdmin)
			}
		}
		detail := map[string]bool{}
		if admin != nil {
			u.Admin = *admin
			detail["admin"] = *admin
		}
		if disabled != nil {
			detail["disabled"] = *disabled
			u.DisabledAt = 0
			if *disabled {
				u.DisabledAt = s.Now().UnixMilli()
			}
		}
		if _, err := tx.NewUpdate().Model(&u).Column("admin", "disabled_at").WherePK().Exec(ctx); err != nil {
			return fmt.Errorf("change an account: %w", err)
		}
		return s.Audit.Record(ctx, tx, audit.Entry{Action: "user.set", Target: audit.Target{Kind: "user", ID: u.ID, Name: u.Name}, Detail: detail})
	})
	if err != nil {
		return AdminUser{}, err
	}
	s.Bus.AccessEnded.Publish(bus.AccessEnded{UserID: id})
	if disabled != nil && s.Disabled != nil {
		own, err := s.Workspaces.PersonalID(ctx, s.DB.Read, id)
		if err == nil {
			err = s.Disabled(ctx, []string{own}, *disabled)
		}
		if err != nil {
			return AdminUser{}, fmt.Errorf("shut out or let in the account's devices: %w", err)
		}
	}
	list, err := s.adminUsers(ctx, []userRow{u})
	if err != nil {
		return AdminUser{}, err
	}
	return list[0], nil
}

// DeleteUser deletes another's account with everything it owns. Errors: problems not_found, own_account, last_admin.
func (s *Service) DeleteUser(ctx context.Context, by workspace.Actor, id string) error {
	if id == by.UserID {
		return errOwnAccount
	}
	return s.deleteUser(ctx, id)
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
