-- +goose Up
-- Mails that have to go out. A row may hold a link that opens an account: it is deleted as soon as the mail is sent,
-- and at the latest when the link ends.
CREATE TABLE mails (
    id         TEXT   NOT NULL PRIMARY KEY,
    kind       TEXT   NOT NULL,
    recipient  TEXT   NOT NULL,
    language   TEXT   NOT NULL,
    data       TEXT   NOT NULL, -- JSON for the text of that kind
    created_at BIGINT NOT NULL, -- Unix milliseconds, as the others
    next_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    attempts   BIGINT NOT NULL
);
CREATE INDEX mails_by_turn ON mails (next_at);

-- +goose Down
DROP TABLE mails;
