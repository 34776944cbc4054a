-- +goose Up
-- Printers that their owner has offered to somebody else. A row is deleted when its code is used.
CREATE TABLE transfers (
    printer_id TEXT   NOT NULL PRIMARY KEY,
    hash       TEXT   NOT NULL UNIQUE, -- of the code, SHA-256 in hex
    offered_by TEXT   NOT NULL,        -- users.id
    offerer    TEXT   NOT NULL,        -- his name
    created_at BIGINT NOT NULL,        -- Unix milliseconds
    expires_at BIGINT NOT NULL
);

-- Whose it was, so that they are told when they look for it.
ALTER TABLE removed_printers ADD COLUMN workspace_id TEXT NOT NULL DEFAULT '';
ALTER TABLE removed_printers ADD COLUMN name TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE removed_printers DROP COLUMN name;
ALTER TABLE removed_printers DROP COLUMN workspace_id;
DROP TABLE transfers;
