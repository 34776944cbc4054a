package file

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/kangbyounggwan/factor/internal/wire"
)

type fileRow struct {
	bun.BaseModel `bun:"table:files,alias:f"`
	ID            string `bun:",pk"`
	WorkspaceID   string
	Folder        string
	Name          string
	NameKey       string
	Size          int64
	SHA256        string `bun:"sha256"`
	Kind          Kind
	Tags          string
	Source        Source
	UserID        string
	UserName      string
	CreatedAt     int64
	Analysis      AnalysisState
	Report        string
	PrintTime     *float64
	Tries         int
}

func (r *fileRow) file() (File, error) {
	f := File{ID: r.ID, WorkspaceID: r.WorkspaceID, Folder: r.Folder, Name: r.Name, Size: r.Size, SHA256: r.SHA256, Kind: r.Kind,
		Source: r.Source, UploadedBy: Uploader{ID: r.UserID, Name: r.UserName}, CreatedAt: time.UnixMilli(r.CreatedAt).UTC()}
	if err := json.Unmarshal([]byte(r.Tags), &f.Tags); err != nil {
		return f, fmt.Errorf("tags of file %s: %w", r.ID, err)
	}
	found, err := r.finding()
	if err != nil {
		return f, err
	}
	f.Analysis = found.analysis()
	f.Analysis.State = r.Analysis
	return f, nil
}

// find gives a file's row. Errors: ErrNotFound.
func (s *Service) find(ctx context.Context, db bun.IDB, id string) (*fileRow, error) {
	if strings.IndexByte(id, 0) >= 0 { // from a body; the database takes no such text
		return nil, ErrNotFound
	}
	row := &fileRow{ID: id}
	err := db.NewSelect().Model(row).WherePK().Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	return row, err
}

// insert puts a file into its folder, under a name with a number where its own is taken.
func insert(ctx context.Context, tx bun.Tx, row *fileRow) error {
	wanted := row.Name
	var taken []string
	base := wanted[:len(wanted)-len(extensionOf(wanted))]
	err := tx.NewSelect().Model((*fileRow)(nil)).Column("name").Where("workspace_id = ? AND folder = ?", row.WorkspaceID, row.Folder).
		Where(`name LIKE ? ESCAPE '\'`, escapeLike(cutBytes(base, 200))+"%").Scan(ctx, &taken)
	if err != nil {
		return err
	}
	is := make(map[string]bool, len(taken))
	for _, name := range taken {
		is[name] = true
	}
	for n := 1; ; n++ {
		if row.Name = wire.NumberedName(wanted, n); !is[row.Name] {
			break
		}
	}
	row.NameKey = nameKey(row.Name)
	if err := keepFolder(ctx, tx, row.WorkspaceID, row.Folder, row.CreatedAt); err != nil {
		return err
	}
	_, err = tx.NewInsert().Model(row).Exec(ctx)
	return err
}

func extensionOf(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i:]
	}
	return ""
}

// cutBytes cuts a text to at most n bytes at a character's border.
func cutBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}
