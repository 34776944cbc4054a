-- +goose Up
-- One row is a packed block of samples of one printer: see internal/server/printer for the format.
CREATE TABLE blocks (
    printer_id TEXT   NOT NULL,
    step       BIGINT NOT NULL, -- s between samples: 10, 60 or 600
    start      BIGINT NOT NULL, -- Unix seconds of the block's first place
    data       BLOB   NOT NULL,
    PRIMARY KEY (printer_id, step, start)
) WITHOUT ROWID;
CREATE INDEX blocks_by_age ON blocks (step, start);

-- The last known state of each printer, so that a restarted server knows what was.
CREATE TABLE twins (
    printer_id TEXT   NOT NULL PRIMARY KEY,
    at         BIGINT NOT NULL, -- Unix milliseconds, server clock
    data       BLOB   NOT NULL  -- JSON
) WITHOUT ROWID;

-- +goose Down
DROP TABLE twins;
DROP TABLE blocks;
