-- +goose Up
-- Anybody may try to log in as a device that is nobody's any more: finding that out must not read the whole table.
CREATE INDEX devices_by_uuid ON devices (uuid);

-- +goose Down
DROP INDEX devices_by_uuid;
