-- +goose Up
CREATE TABLE events (
    id          TEXT   NOT NULL PRIMARY KEY, -- UUID v7, in the order of storing
    printer_id  TEXT   NOT NULL,
    device_id   TEXT   NOT NULL,
    epoch       TEXT,                        -- null, with seq: noted by the server itself
    seq         BIGINT,
    at          BIGINT NOT NULL,             -- Unix milliseconds, as well as the server can tell
    device_at   BIGINT,                      -- by the device's clock
    received_at BIGINT NOT NULL,
    type        TEXT   NOT NULL,
    job         TEXT   NOT NULL,
    data        TEXT                         -- JSON object
);
CREATE UNIQUE INDEX events_once ON events (device_id, epoch, seq);
CREATE INDEX events_by_printer ON events (printer_id, id);
CREATE INDEX events_by_age ON events (received_at);

-- What has been acknowledged of each event queue a device has had.
CREATE TABLE device_epochs (
    device_id TEXT   NOT NULL,
    epoch     TEXT   NOT NULL,
    seq       BIGINT NOT NULL, -- highest
    missing   TEXT   NOT NULL, -- ranges below it that never came: "3-7,9-9"
    seen_at   BIGINT NOT NULL,
    PRIMARY KEY (device_id, epoch)
);

-- +goose Down
DROP TABLE device_epochs;
DROP TABLE events;
