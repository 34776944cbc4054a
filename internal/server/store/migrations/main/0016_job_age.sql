-- +goose Up
-- Prints are deleted by age: finding the old ones must not read the whole table.
CREATE INDEX jobs_by_end ON jobs (ended_at);

-- +goose Down
DROP INDEX jobs_by_end;
