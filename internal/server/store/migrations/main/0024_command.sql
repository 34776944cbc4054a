-- +goose Up
-- Commands of the last day: for answers that come late and for requests that come twice. What was done stays in the
-- audit, under the same id.
CREATE TABLE commands (
    id           TEXT   NOT NULL PRIMARY KEY,
    at           BIGINT NOT NULL, -- Unix milliseconds
    printer_id   TEXT   NOT NULL,
    workspace_id TEXT   NOT NULL,
    user_id      TEXT   NOT NULL,
    actor        TEXT   NOT NULL,
    request_key  TEXT   NOT NULL, -- Idempotency-Key, '' for none
    request_hash TEXT   NOT NULL,
    type         TEXT   NOT NULL,
    asked        TEXT   NOT NULL, -- JSON: the command as the audit shows it
    state        TEXT   NOT NULL, -- waiting, sent, answered, effect_seen, unconfirmed, unknown
    ok           BOOLEAN NOT NULL,
    code         TEXT   NOT NULL,
    message      TEXT   NOT NULL
);
CREATE UNIQUE INDEX commands_by_key ON commands (user_id, printer_id, request_key) WHERE request_key <> '';
CREATE INDEX commands_by_age ON commands (at);
CREATE INDEX audit_by_target ON audit (target_id, id);
CREATE INDEX audit_by_actor ON audit (actor_id, id);

-- What a printer's owner allows.
CREATE TABLE printer_limits (
    printer_id TEXT NOT NULL PRIMARY KEY,
    limits     TEXT NOT NULL -- JSON
);

-- Named lists of G-code lines, and temperatures to heat to; a workspace's own, as ordered lists.
CREATE TABLE macros (
    id           TEXT    NOT NULL PRIMARY KEY,
    workspace_id TEXT    NOT NULL,
    place        INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    lines        TEXT    NOT NULL -- JSON
);
CREATE INDEX macros_by_workspace ON macros (workspace_id, place);
CREATE TABLE temperature_presets (
    id           TEXT    NOT NULL PRIMARY KEY,
    workspace_id TEXT    NOT NULL,
    place        INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    tool         REAL,
    bed          REAL,
    chamber      REAL
);
CREATE INDEX temperature_presets_by_workspace ON temperature_presets (workspace_id, place);

-- +goose Down
DROP TABLE temperature_presets;
DROP TABLE macros;
DROP TABLE printer_limits;
DROP INDEX audit_by_actor;
DROP INDEX audit_by_target;
DROP TABLE commands;
