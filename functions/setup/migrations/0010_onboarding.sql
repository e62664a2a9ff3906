-- How an account comes to its key, and whether the venue still lets that key trade.
ALTER TABLE venue_accounts
    ADD COLUMN key_asked_at        timestamptz,                -- when somebody last began to make its key
    ADD COLUMN key_attempts        int NOT NULL DEFAULT 0 CHECK (key_attempts >= 0),
    ADD COLUMN approval_checked_at timestamptz,                -- when the venue was last asked about the signer
    ADD COLUMN approval_lost_at    timestamptz;                -- since when it knows no approval that it knew before

-- Tells this installation's keys from another's at the same user's account: a venue lets one key of a name trade.
ALTER TABLE installation ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();
