package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/uptrace/bun"
)

func mustOpen(t *testing.T, dir string) *DB {
	t.Helper()
	db, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func exec(query string, args ...any) func(context.Context, bun.Tx) error {
	return func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	}
}

func count(t *testing.T, f *File, table string) (n int) {
	t.Helper()
	if err := f.Read.NewRaw("SELECT count(*) FROM "+table).Scan(t.Context(), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOpen_SynchronousAsPromised(t *testing.T) {
	db := mustOpen(t, t.TempDir())
	for _, c := range []struct {
		file *File
		want int
	}{{db.File, 2}, {db.History, 1}} {
		var got int
		err := c.file.Write(t.Context(), func(ctx context.Context, tx bun.Tx) error {
			return tx.NewRaw("PRAGMA synchronous").Scan(ctx, &got)
		})
		if err != nil || got != c.want {
			t.Errorf("%s: synchronous %d, want %d (%v)", c.file.path, got, c.want, err)
		}
	}
}

func TestOpen_OnlyTheOwnerReadsTheFiles(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is readable by others: %v", filepath.Base(path), info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFile_ReadRefusesWrites(t *testing.T) {
	db := mustOpen(t, t.TempDir())
	if _, err := db.Read.ExecContext(t.Context(), "CREATE TABLE x (i)"); err == nil {
		t.Error("a reader wrote")
	}
}

func TestFile_Write_EachOnItsOwn(t *testing.T) {
	db := mustOpen(t, t.TempDir())
	if err := db.Write(t.Context(), exec("CREATE TABLE x (i INTEGER UNIQUE)")); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wrong := errors.New("wrong")
	for i := range 300 {
		wg.Go(func() {
			err := db.Write(context.Background(), func(ctx context.Context, tx bun.Tx) error {
				if _, err := tx.ExecContext(ctx, "INSERT INTO x VALUES (?)", i); err != nil {
					return err
				}
				switch i % 3 {
				case 1:
					return wrong
				case 2:
					panic("no")
				}
				return nil
			})
			if (i%3 == 0) != (err == nil) || i%3 == 1 && !errors.Is(err, wrong) {
				t.Errorf("write %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if n := count(t, db.File, "x"); n != 100 {
		t.Errorf("%d rows, want the 100 of the writes that succeeded", n)
	}
}

func TestFile_Write_ConstraintOfOneLeavesOthers(t *testing.T) {
	db := mustOpen(t, t.TempDir())
	if err := db.Write(t.Context(), exec("CREATE TABLE x (i INTEGER UNIQUE)")); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	failed := 0
	for range 50 {
		wg.Go(func() {
			if db.Write(context.Background(), exec("INSERT INTO x VALUES (1)")) != nil {
				mu.Lock()
				failed++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if n := count(t, db.File, "x"); n != 1 || failed != 49 {
		t.Errorf("%d rows, %d failed", n, failed)
	}
}

// The limit of pages makes the very error of a full disk.
func TestFile_Write_Full(t *testing.T) {
	dir := t.TempDir()
	db := mustOpen(t, dir)
	if err := db.Write(t.Context(), exec("CREATE TABLE x (i BLOB)")); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), exec("PRAGMA max_page_count = 1")); err != nil { // at least what it has
		t.Fatal(err)
	}
	acknowledged, refused := 0, 0
	for range 100 {
		switch err := db.Write(t.Context(), exec("INSERT INTO x VALUES (randomblob(1000))")); {
		case err == nil:
			acknowledged++
		case errors.Is(err, ErrFull) && strings.Contains(err.Error(), "full"):
			refused++
		default:
			t.Errorf("%v", err)
		}
	}
	if refused == 0 {
		t.Error("it was never full")
	}
	if err := db.Write(t.Context(), exec("PRAGMA max_page_count = 100000")); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), exec("INSERT INTO x VALUES (1)")); err != nil {
		t.Errorf("once there is room: %v", err)
	}
	if n := count(t, db.File, "x"); n != acknowledged+1 {
		t.Errorf("%d rows, %d of them acknowledged", n, acknowledged+1)
	}
}

func TestFile_Close(t *testing.T) {
	db := mustOpen(t, t.TempDir())
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), exec("SELECT 1")); !errors.Is(err, ErrClosed) {
		t.Errorf("write after close: %v", err)
	}
}

func TestOpen_TwoProcessesCanWrite(t *testing.T) {
	dir := t.TempDir()
	one, two := mustOpen(t, dir), mustOpen(t, dir)
	if err := one.Write(t.Context(), exec("CREATE TABLE x (i)")); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, db := range []*DB{one, two} {
		for range 40 {
			wg.Go(func() {
				if err := db.Write(context.Background(), exec("INSERT INTO x VALUES (1)")); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if n := count(t, two.File, "x"); n != 80 {
		t.Errorf("%d rows", n)
	}
}

func migration(n int, up string) (string, *fstest.MapFile) {
	return fmt.Sprintf("%04d_x.sql", n), &fstest.MapFile{Data: []byte("-- +goose Up\n" + up + "\n-- +goose Down\nSELECT 1;\n")}
}

func migrated(t *testing.T, path string, ups ...string) error {
	t.Helper()
	files := fstest.MapFS{}
	for i, up := range ups {
		name, file := migration(i+1, up)
		files[name] = file
	}
	db, err := openPool(path, 1, "synchronous(FULL)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	return migrateTo(t.Context(), db.DB, path, files)
}

func TestMigrate_CopiesFirstAndRefusesNewer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	one, two := "CREATE TABLE a (i); INSERT INTO a VALUES (1);", "CREATE TABLE b (i);"
	if err := migrated(t, path, one); err != nil {
		t.Fatal(err)
	}
	if copies, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "backups", "*")); len(copies) != 0 {
		t.Errorf("a new database needs no copy: %v", copies)
	}
	if err := migrated(t, path, one, two); err != nil {
		t.Fatal(err)
	}
	copies, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "backups", "x-v1-*.db"))
	if len(copies) != 1 {
		t.Fatalf("copies: %v", copies)
	}
	was, err := openPool(copies[0], 1, "query_only(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer was.Close()
	var n int
	if err := was.NewRaw("SELECT count(*) FROM a").Scan(t.Context(), &n); err != nil || n != 1 {
		t.Errorf("the copy has %d rows (%v)", n, err)
	}
	err = migrated(t, path, one)
	if !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "backups") {
		t.Errorf("a newer database: %v", err)
	}
}

func TestMigrate_FailedOneChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	one := "CREATE TABLE a (i);"
	if err := migrated(t, path, one); err != nil {
		t.Fatal(err)
	}
	if err := migrated(t, path, one, "CREATE TABLE b (i); CREATE TABLE a (i);"); err == nil {
		t.Fatal("a broken migration passed")
	}
	if err := migrated(t, path, one, "CREATE TABLE b (i);"); err != nil {
		t.Errorf("the mended migration does not run: %v", err)
	}
}

type whoKey struct{}

func TestFile_Write_CarriesWhatTheContextSays(t *testing.T) {
	db := mustOpen(t, t.TempDir())
	ctx := context.WithValue(t.Context(), whoKey{}, "kim")
	err := db.Write(ctx, func(ctx context.Context, _ bun.Tx) error {
		if ctx.Value(whoKey{}) != "kim" {
			t.Error("the write does not know who asks")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
