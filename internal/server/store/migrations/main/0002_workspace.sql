-- +goose Up
CREATE TABLE workspaces (
    id          TEXT   NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL,
    personal_of TEXT   UNIQUE, -- the account that it ends with
    created_at  BIGINT NOT NULL
);

CREATE TABLE members (
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id      TEXT   NOT NULL,
    role         TEXT   NOT NULL, -- owner, operator, viewer
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id);

-- Somebody was asked to join, by an address that may have an account or not: asking tells nothing.
CREATE TABLE member_invitations (
    id           TEXT   NOT NULL PRIMARY KEY,
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    email        TEXT   NOT NULL,
    email_key    TEXT   NOT NULL,
    role         TEXT   NOT NULL,
    invited_by   TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    UNIQUE (workspace_id, email_key)
);
CREATE INDEX member_invitations_by_email ON member_invitations (email_key);

-- +goose Down
DROP TABLE member_invitations;
DROP TABLE members;
DROP TABLE workspaces;
