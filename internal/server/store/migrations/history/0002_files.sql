-- +goose Up
-- The files that each device says it has. Nothing is lost with it: the device says it again.
CREATE TABLE device_files (
    printer_id TEXT   NOT NULL PRIMARY KEY,
    at         BIGINT NOT NULL, -- Unix milliseconds, server clock
    data       BLOB   NOT NULL  -- JSON, zstd
);

-- +goose Down
DROP TABLE device_files;
