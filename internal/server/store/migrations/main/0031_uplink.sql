-- +goose Up
-- What all cameras of a printer together may take of its uplink, kbit/s; 0: as much as they like.
ALTER TABLE printers ADD COLUMN uplink_kbps BIGINT NOT NULL DEFAULT 0;
