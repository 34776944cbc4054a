-- +goose Up
CREATE TABLE printers (
    id           TEXT    NOT NULL PRIMARY KEY,
    workspace_id TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    description  TEXT    NOT NULL,
    pending      BOOLEAN NOT NULL, -- its device registered itself, its owner has not completed it
    uuid_login   BOOLEAN NOT NULL,
    disabled     BOOLEAN NOT NULL,
    cameras      TEXT    NOT NULL, -- JSON list
    seen_job     TEXT    NOT NULL, -- failed job that somebody has acknowledged
    created_at   BIGINT  NOT NULL  -- Unix milliseconds
);
CREATE INDEX printers_by_workspace ON printers (workspace_id);

-- The computer that speaks for a printer. A replaced one stays, for its events.
CREATE TABLE devices (
    id          TEXT    NOT NULL PRIMARY KEY,
    printer_id  TEXT    NOT NULL,
    uuid        TEXT    NOT NULL,
    token_hash  BLOB,             -- SHA-256; null: it has no token
    registered  BOOLEAN NOT NULL, -- it has acknowledged its registration message
    created_at  BIGINT  NOT NULL,
    replaced_at BIGINT
);
CREATE UNIQUE INDEX devices_in_use ON devices (uuid) WHERE replaced_at IS NULL;
CREATE INDEX devices_by_printer ON devices (printer_id);

-- Printers that are removed and whose past is still to be deleted, a slice at a time.
CREATE TABLE removed_printers (
    printer_id TEXT   NOT NULL PRIMARY KEY,
    removed_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE removed_printers;
DROP TABLE devices;
DROP TABLE printers;
