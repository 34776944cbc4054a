package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed migrations
var migrations embed.FS

// ErrNewer says that a database was made by a newer FACTOR.
var ErrNewer = errors.New("the database was made by a newer FACTOR")

func migrate(ctx context.Context, db *sql.DB, path, folder string) error {
	files, err := fs.Sub(migrations, "migrations/"+folder)
	if err != nil {
		return err
	}
	return migrateTo(ctx, db, path, files)
}

// migrateTo brings the database at path up to the newest of the SQL files, one transaction a file.
func migrateTo(ctx context.Context, db *sql.DB, path string, files fs.FS) error {
	provider, err := goose.NewProvider(database.DialectSQLite3, db, files)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	have, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the version of %s: %w", path, err)
	}
	sources := provider.ListSources()
	newest := sources[len(sources)-1].Version
	if have > newest {
		return fmt.Errorf("%w: %s is at version %d, this program knows up to %d. Install the newer program again, "+
			"or put back the copy from the folder backups beside it", ErrNewer, path, have, newest)
	}
	if have == newest {
		return nil
	}
	if have > 0 {
		if err := copyTo(ctx, db, path, have); err != nil {
			return fmt.Errorf("copy the database before changing it: %w", err)
		}
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate %s: %w", path, err)
	}
	return nil
}

// copyTo writes a whole, consistent copy to backups/NAME-vVERSION-TIME.db. It appears under that name only when complete.
func copyTo(ctx context.Context, db *sql.DB, path string, version int64) error {
	dir := filepath.Join(filepath.Dir(path), "backups")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	name := strings.TrimSuffix(filepath.Base(path), ".db")
	final := filepath.Join(dir, fmt.Sprintf("%s-v%d-%s.db", name, version, time.Now().UTC().Format("20060102T150405")))
	part := final + ".part"
	os.Remove(part)
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", part); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	if err := os.Chmod(part, 0o600); err != nil {
		return err
	}
	return os.Rename(part, final)
}
