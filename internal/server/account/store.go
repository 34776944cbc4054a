package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/kangbyounggwan/factor/internal/server/workspace"
)

type userRow struct {
	bun.BaseModel `bun:"table:users"`

	ID           string `bun:",pk"`
	Email        string
	EmailKey     string
	Name         string
	PasswordHash string
	Language     string
	TimeZone     string
	Admin        bool
	DisabledAt   int64 `bun:",nullzero"`
	CreatedAt    int64
}

var errNoUser = problem.NotFound("account")

// findUser reads one account. Errors: errNoUser.
func findUser(ctx context.Context, db bun.IDB, where string, arg any) (userRow, error) {
	var u userRow
	err := db.NewSelect().Model(&u).Where(where, arg).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return u, errNoUser
	}
	if err != nil {
		return u, fmt.Errorf("read an account: %w", err)
	}
	return u, nil
}

// insertUser makes an account and its workspace. Errors: errEmailTaken.
func (s *Service) insertUser(ctx context.Context, tx bun.Tx, p person, hash string, admin bool) (userRow, workspace.Workspace, error) {
	if _, err := findUser(ctx, tx, "email_key = ?", p.email.Key); err == nil {
		return userRow{}, workspace.Workspace{}, errEmailTaken
	} else if !errors.Is(err, errNoUser) {
		return userRow{}, workspace.Workspace{}, err
	}
	u := userRow{
		ID: newID(), Email: p.email.Address, EmailKey: p.email.Key, Name: p.name, PasswordHash: hash,
		Language: p.language, TimeZone: p.timeZone, Admin: admin, CreatedAt: s.Now().UnixMilli(),
	}
	if _, err := tx.NewInsert().Model(&u).Exec(ctx); err != nil {
		return u, workspace.Workspace{}, fmt.Errorf("write an account: %w", err)
	}
	w, err := s.Workspaces.CreatePersonal(ctx, tx, u.ID, u.Name)
	return u, w, err
}

// user gives an account as the API shows it.
func (s *Service) user(ctx context.Context, u userRow) (User, error) {
	w, err := s.Workspaces.Personal(ctx, u.ID)
	if err != nil {
		return User{}, err
	}
	out := u.user(w)
	err = s.DB.Read.NewRaw(`SELECT email FROM links WHERE subject_id = ? AND purpose = ? AND used_at IS NULL AND expires_at > ?
		ORDER BY created_at DESC LIMIT 1`, u.ID, purposeEmail, s.Now().UnixMilli()).Scan(ctx, &out.PendingEmail)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return User{}, fmt.Errorf("read an account: %w", err)
	}
	return out, nil
}

func (u userRow) user(w workspace.Workspace) User {
	return User{
		ID: u.ID, Email: u.Email, Name: u.Name, Language: u.Language, TimeZone: u.TimeZone, Admin: u.Admin,
		CreatedAt: fromMillis(u.CreatedAt), Workspace: WorkspaceRef{ID: w.ID, Name: w.Name},
	}
}

// Count gives the number of accounts.
func (s *Service) Count(ctx context.Context) (int, error) {
	n, err := countUsers(ctx, s.DB.Read)
	return n, err
}

func countUsers(ctx context.Context, db bun.IDB) (int, error) {
	var n int
	if err := db.NewRaw("SELECT COUNT(*) FROM users").Scan(ctx, &n); err != nil {
		return 0, fmt.Errorf("count accounts: %w", err)
	}
	return n, nil
}

// isLastAdmin tells whether nobody else could administer the server.
func isLastAdmin(ctx context.Context, db bun.IDB, u userRow) (bool, error) {
	if !u.Admin {
		return false, nil
	}
	var others int
	err := db.NewRaw("SELECT COUNT(*) FROM users WHERE admin = ? AND disabled_at IS NULL AND id <> ?", true, u.ID).Scan(ctx, &others)
	if err != nil {
		return false, fmt.Errorf("count administrators: %w", err)
	}
	return others == 0, nil
}

// EmailKey gives the form of an address in which addresses are compared. Errors: problem email_invalid.
func (s *Service) EmailKey(email string) (string, error) {
	e, err := ParseEmail("email", email)
	return e.Key, err
}

// PeopleByID gives the accounts that exist of ids.
func (s *Service) PeopleByID(ctx context.Context, ids []string) (map[string]workspace.Person, error) {
	people := map[string]workspace.Person{}
	if len(ids) == 0 {
		return people, nil
	}
	var rows []userRow
	if err := s.DB.Read.NewSelect().Model(&rows).Where("id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	for _, u := range rows {
		people[u.ID] = workspace.Person{ID: u.ID, Email: u.Email, Name: u.Name, Language: u.Language}
	}
	return people, nil
}

// newID gives a UUID v7: in order of time.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// exec runs statements one after the other, each with its arguments behind it.
func exec(ctx context.Context, tx bun.Tx, doing string, statements ...[]any) error {
	for _, st := range statements {
		if _, err := tx.NewRaw(st[0].(string), st[1:]...).Exec(ctx); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
	}
	return nil
}

// q is a statement and its arguments.
func q(sql string, args ...any) []any { return append([]any{sql}, args...) }
