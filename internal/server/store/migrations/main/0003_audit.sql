-- +goose Up
-- Who did what. Names are kept as they were, so that an entry can be read after its people and things are gone.
CREATE TABLE audit (
    id           TEXT   NOT NULL PRIMARY KEY, -- UUID v7: in order of time
    at           BIGINT NOT NULL,             -- Unix milliseconds
    workspace_id TEXT   NOT NULL,             -- '' is the server's own
    actor_id     TEXT   NOT NULL,
    actor        TEXT   NOT NULL,
    on_behalf_of TEXT   NOT NULL,
    via          TEXT   NOT NULL,
    address      TEXT   NOT NULL,
    action       TEXT   NOT NULL,
    target_kind  TEXT   NOT NULL,
    target_id    TEXT   NOT NULL,
    target_name  TEXT   NOT NULL,
    result       TEXT   NOT NULL,
    detail       TEXT   NOT NULL              -- JSON or ''
);
CREATE INDEX audit_by_workspace ON audit (workspace_id, id);
CREATE INDEX audit_by_age ON audit (at);

-- +goose Down
DROP TABLE audit;
