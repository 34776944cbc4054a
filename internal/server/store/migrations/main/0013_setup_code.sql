-- +goose Up
-- Codes that somebody types into a plugin in the place of a password. A row is deleted when its code is used.
CREATE TABLE setup_codes (
    hash       TEXT   NOT NULL PRIMARY KEY, -- SHA-256 in hex
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,             -- Unix milliseconds
    expires_at BIGINT NOT NULL
);
CREATE INDEX setup_codes_by_user ON setup_codes (user_id, created_at);
CREATE INDEX setup_codes_by_expiry ON setup_codes (expires_at);

-- Signed in by such a code: it ends with the first registration.
ALTER TABLE sessions ADD COLUMN once BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE sessions DROP COLUMN once;
DROP TABLE setup_codes;
