-- +goose Up
-- How often the look into a file was begun: one that ends the server each time is given up.
ALTER TABLE files ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;

-- Files on their way between the library and a printer's device.
CREATE TABLE file_transfers (
    id           TEXT    NOT NULL PRIMARY KEY,
    printer_id   TEXT    NOT NULL,
    workspace_id TEXT    NOT NULL, -- of the library
    device       TEXT    NOT NULL, -- UUID
    direction    TEXT    NOT NULL, -- to_printer, to_library
    file_id      TEXT    NOT NULL, -- in the library; empty until it is there
    name         TEXT    NOT NULL, -- as the device is to store it, or as the library does
    folder       TEXT    NOT NULL, -- of the library, on the way there
    origin       TEXT    NOT NULL, -- local, sdcard: on the device
    path         TEXT    NOT NULL, -- on the device, once known
    size         BIGINT  NOT NULL, -- bytes; 0: not known yet
    sha256       TEXT    NOT NULL,
    print        BOOLEAN NOT NULL,
    token        TEXT    NOT NULL, -- SHA-256 of it, in hex; empty: none
    used_at      BIGINT  NOT NULL, -- when the device used the token last, Unix milliseconds
    click        TEXT    NOT NULL, -- the Idempotency-Key it was asked for with; empty: none
    stage        TEXT    NOT NULL,
    bytes        BIGINT  NOT NULL,
    total        BIGINT  NOT NULL,
    code         TEXT    NOT NULL, -- why it failed
    message      TEXT    NOT NULL,
    user_id      TEXT    NOT NULL,
    user_name    TEXT    NOT NULL,
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL,
    ended_at     BIGINT
);
CREATE INDEX file_transfers_by_printer ON file_transfers (printer_id, created_at);
CREATE UNIQUE INDEX file_transfers_by_token ON file_transfers (token) WHERE token <> '';
CREATE UNIQUE INDEX file_transfers_by_click ON file_transfers (printer_id, user_id, click) WHERE click <> '';
CREATE INDEX file_transfers_under_way ON file_transfers (used_at) WHERE ended_at IS NULL;

-- +goose Down
DROP TABLE file_transfers;
ALTER TABLE files DROP COLUMN tries;
