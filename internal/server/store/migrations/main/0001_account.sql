-- +goose Up
-- Times are Unix milliseconds. Secrets that are handed out are kept as SHA-256 in hex: they are random, so that
-- nobody finds them from it.
CREATE TABLE users (
    id            TEXT    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL,        -- as typed; proven
    email_key     TEXT    NOT NULL UNIQUE, -- normalised, for comparing
    name          TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,        -- argon2id in PHC form
    language      TEXT    NOT NULL,
    time_zone     TEXT    NOT NULL,        -- IANA name
    admin         BOOLEAN NOT NULL,
    disabled_at   BIGINT,
    created_at    BIGINT  NOT NULL
);

-- Who has filled in the sign-up form and not yet followed the link. One person may do so twice, and a stranger may
-- use an address that is not his: each try has its own password, and the link proves that one alone.
CREATE TABLE signups (
    id            TEXT   NOT NULL PRIMARY KEY,
    email         TEXT   NOT NULL,
    email_key     TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    password_hash TEXT   NOT NULL,
    language      TEXT   NOT NULL,
    time_zone     TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX signups_by_email ON signups (email_key, created_at);
CREATE INDEX signups_by_expiry ON signups (expires_at);

-- What a mailed link carries.
CREATE TABLE links (
    hash       TEXT   NOT NULL PRIMARY KEY,
    purpose    TEXT   NOT NULL, -- signup, email, reset
    subject_id TEXT   NOT NULL, -- signups.id for signup, else users.id
    email      TEXT   NOT NULL, -- the address that it was mailed to
    email_key  TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX links_by_subject ON links (subject_id, purpose);
CREATE INDEX links_by_expiry ON links (expires_at);

CREATE TABLE sessions (
    id         TEXT   NOT NULL PRIMARY KEY,
    hash       TEXT   NOT NULL UNIQUE,
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    via        TEXT   NOT NULL, -- session, plugin
    created_at BIGINT NOT NULL,
    last_seen  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address    TEXT   NOT NULL,
    user_agent TEXT   NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE tokens (
    id           TEXT   NOT NULL PRIMARY KEY,
    hash         TEXT   NOT NULL UNIQUE,
    user_id      TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT   NOT NULL,
    prefix       TEXT   NOT NULL, -- its first characters, to tell tokens apart
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    last_used_at BIGINT
);
CREATE INDEX tokens_by_user ON tokens (user_id);
CREATE INDEX tokens_by_expiry ON tokens (expires_at);

-- From where an account was signed in to before: those are not slowed by the failures of others.
CREATE TABLE known_origins (
    user_id TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash    TEXT   NOT NULL, -- of a device cookie or of an address
    used_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, hash)
);

CREATE TABLE invitations (
    id         TEXT   NOT NULL PRIMARY KEY,
    hash       TEXT   NOT NULL UNIQUE,
    email      TEXT   NOT NULL, -- '' for whoever holds the link
    email_key  TEXT   NOT NULL,
    language   TEXT   NOT NULL,
    created_by TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX invitations_by_expiry ON invitations (expires_at);

-- +goose Down
DROP TABLE invitations;
DROP TABLE known_origins;
DROP TABLE tokens;
DROP TABLE sessions;
DROP TABLE links;
DROP TABLE signups;
DROP TABLE users;
