-- +goose Up
CREATE TABLE jobs (
    printer_id TEXT     NOT NULL,
    id         TEXT     NOT NULL, -- the agent's, else one of the server's
    file_name  TEXT     NOT NULL,
    origin     TEXT     NOT NULL,
    path       TEXT     NOT NULL,
    size       BIGINT,            -- bytes
    started_at BIGINT   NOT NULL, -- Unix milliseconds
    ended_at   BIGINT,
    result     TEXT     NOT NULL, -- done, failed, cancelled; empty while under way
    print_time DOUBLE PRECISION,  -- s
    completion DOUBLE PRECISION,  -- %
    by_event   BOOLEAN  NOT NULL, -- its end was told by the device, not guessed from snapshots
    PRIMARY KEY (printer_id, id)
);
CREATE INDEX jobs_by_start ON jobs (printer_id, started_at);
CREATE INDEX jobs_under_way ON jobs (printer_id) WHERE ended_at IS NULL;

-- +goose Down
DROP TABLE jobs;
