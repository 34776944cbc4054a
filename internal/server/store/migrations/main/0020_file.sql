-- +goose Up
-- The library: what a workspace has to print. The content is in the data folder, files/ID.
CREATE TABLE files (
    id           TEXT   NOT NULL PRIMARY KEY, -- of its upload, too
    workspace_id TEXT   NOT NULL,
    folder       TEXT   NOT NULL, -- names with / between them; empty: none
    name         TEXT   NOT NULL,
    name_key     TEXT   NOT NULL, -- as names are searched and sorted
    size         BIGINT NOT NULL, -- bytes
    sha256       TEXT   NOT NULL, -- lower-case hex
    kind         TEXT   NOT NULL, -- gcode, bgcode
    tags         TEXT   NOT NULL, -- JSON list
    source       TEXT   NOT NULL, -- upload, printer
    user_id      TEXT   NOT NULL, -- who brought it
    user_name    TEXT   NOT NULL, -- at that time
    created_at   BIGINT NOT NULL, -- Unix milliseconds
    analysis     TEXT   NOT NULL, -- waiting, done, failed
    report       TEXT   NOT NULL, -- JSON: what was found in it
    print_time   DOUBLE PRECISION -- s, from the report
);
CREATE UNIQUE INDEX files_by_place ON files (workspace_id, folder, name);
CREATE INDEX files_waiting ON files (created_at) WHERE analysis = 'waiting';

CREATE TABLE file_folders (
    workspace_id TEXT   NOT NULL,
    path         TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, path)
);

-- Files on their way here, in the data folder files/ID.part.
CREATE TABLE uploads (
    id           TEXT   NOT NULL PRIMARY KEY,
    workspace_id TEXT   NOT NULL,
    user_id      TEXT   NOT NULL,
    user_name    TEXT   NOT NULL,
    folder       TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    tags         TEXT   NOT NULL, -- JSON list
    sha256       TEXT   NOT NULL, -- as the sender says it; empty: he does not
    source       TEXT   NOT NULL,
    size         BIGINT NOT NULL, -- bytes, of the whole file
    synced       BIGINT NOT NULL, -- bytes that a power cut leaves there
    hash         BLOB   NOT NULL, -- state of SHA-256 over those bytes
    created_at   BIGINT NOT NULL,
    used_at      BIGINT NOT NULL
);
CREATE INDEX uploads_by_use ON uploads (used_at);

-- +goose Down
DROP TABLE uploads;
DROP TABLE file_folders;
DROP TABLE files;
