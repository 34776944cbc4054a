package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"runtime"

	"github.com/kangbyounggwan/factor/internal/server/problem"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"modernc.org/sqlite" // also the driver "sqlite", without CGO
	sqlitelib "modernc.org/sqlite/lib"
)

// File is one database: a pool of readers and one writer that commits in groups.
type File struct {
	// Read answers queries. It sees all that was written before; writing through it fails.
	Read *bun.DB

	path   string
	write  *bun.DB
	writer *writer
}

func openFile(ctx context.Context, path, folder, synchronous string) (*File, error) {
	// The file is made by us first so that it is never readable by others, not even for a moment.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	f.Close()

	write, err := openPool(path, 1, "synchronous("+synchronous+")")
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, write.DB, path, folder); err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read, err := openPool(path, max(4, runtime.NumCPU()), "query_only(1)")
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	file := &File{Read: read, path: path, write: write}
	file.writer = startWriter(write)
	return file, nil
}

func openPool(path string, conns int, pragma string) (*bun.DB, error) {
	q := url.Values{"_txlock": {"immediate"}}
	for _, p := range []string{"busy_timeout(10000)", "journal_mode(WAL)", "foreign_keys(1)", "cache_size(-2000)", "temp_store(memory)", pragma} {
		q.Add("_pragma", p)
	}
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	return bun.NewDB(pool, sqlitedialect.New()), nil
}

// Write runs fn in a transaction and returns when it is committed, together with whatever other writes were
// waiting. An error of fn, or a panic in it, undoes what fn did and nothing else, and is returned. fn must use tx
// alone: another Write inside it would wait for itself. Once begun, fn is not interrupted by ctx.
func (f *File) Write(ctx context.Context, fn func(ctx context.Context, tx bun.Tx) error) error {
	err := f.writer.do(ctx, fn)
	if isFull(err) {
		return fmt.Errorf("%w (%w)", ErrFull, err)
	}
	return err
}

// ErrFull is a write for which the disk has no room. It changed nothing.
var ErrFull = problem.New(http.StatusInsufficientStorage, "disk_full", "The server's disk is full, so nothing was changed. Its operator has to make room.")

func isFull(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == sqlitelib.SQLITE_FULL
}

// Bytes gives the size of the database in bytes, its write-ahead log included.
func (f *File) Bytes() int64 {
	var sum int64
	for _, p := range []string{f.path, f.path + "-wal"} {
		if info, err := os.Stat(p); err == nil {
			sum += info.Size()
		}
	}
	return sum
}

// Ping tells whether the database answers.
func (f *File) Ping(ctx context.Context) error {
	var one int
	return f.Read.NewRaw("SELECT 1").Scan(ctx, &one)
}

// Close finishes the writes under way and closes the file. Later writes fail with ErrClosed.
func (f *File) Close() error {
	f.writer.close()
	return errors.Join(f.Read.Close(), f.write.Close())
}
