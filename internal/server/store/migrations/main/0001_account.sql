-- +goose Up
CREATE TABLE users (
    id            TEXT    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL,        -- as typed
    email_key     TEXT    NOT NULL UNIQUE, -- normalised, for comparing
    name          TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,        -- argon2id in PHC form
    language      TEXT    NOT NULL,
    time_zone     TEXT    NOT NULL,        -- IANA name
    admin         BOOLEAN NOT NULL,
    verified_at   BIGINT,                  -- Unix milliseconds; null: the e-mail is not proven
    disabled_at   BIGINT,
    created_at    BIGINT  NOT NULL
);

-- +goose Down
DROP TABLE users;
