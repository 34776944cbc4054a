-- +goose Up
-- The block that each printer is filling, written again every 10 s. Beside each other here, the rows of many printers
-- share a page; among the full blocks each would have a page of its own.
CREATE TABLE open_blocks (
    printer_id TEXT   NOT NULL PRIMARY KEY,
    step       BIGINT NOT NULL,
    start      BIGINT NOT NULL,
    data       BLOB   NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE open_blocks;
