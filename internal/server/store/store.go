// Package store opens, migrates and copies the databases: two SQLite files in the data folder.
//
// main.db holds what must never be lost (accounts, printers, events, audit): a write there is on disk when it
// returns (synchronous=FULL). history.db holds telemetry and checkpoints, where the last seconds may be lost to a
// power cut (NORMAL). They are two files because synchronous belongs to a connection and a file has one writer.
package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The files in the data folder.
const (
	MainFile    = "main.db"
	HistoryFile = "history.db"
)

// DB is the open databases. Its embedded File is the main one.
type DB struct {
	*File
	History *File

	Dir string // the data folder
}

// Open opens the databases in dir, creating the folder and the files where they are missing, and brings them to
// this program's version. A database of a newer program is refused with ErrNewer and stays untouched; before an
// existing one is migrated, a copy is left in dir/backups.
func Open(ctx context.Context, dir string) (*DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	main, err := openFile(ctx, filepath.Join(dir, MainFile), "main", "FULL")
	if err != nil {
		return nil, err
	}
	history, err := openFile(ctx, filepath.Join(dir, HistoryFile), "history", "NORMAL")
	if err != nil {
		return nil, errors.Join(err, main.Close())
	}
	return &DB{File: main, History: history, Dir: dir}, nil
}

// Close finishes the writes under way and closes both files.
func (db *DB) Close() error {
	return errors.Join(db.File.Close(), db.History.Close())
}
