-- +goose Up
-- Whether an invitation went to its address by mail: only then does holding it prove the address.
ALTER TABLE invitations ADD COLUMN mailed BOOLEAN NOT NULL DEFAULT FALSE;
-- The invitation that a sign-up came by, which its mailed link uses up; '' for none.
ALTER TABLE signups ADD COLUMN invitation_id TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE signups DROP COLUMN invitation_id;
ALTER TABLE invitations DROP COLUMN mailed;
