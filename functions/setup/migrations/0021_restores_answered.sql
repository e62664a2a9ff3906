-- When reconcile last wrote its figures in what stands here: a restored database stands at that moment or a minute or two after
-- it, whatever was told. Null: it never ran.
ALTER TABLE restores ADD COLUMN last_run_at timestamptz;

-- The epoch of the last restore for which the venue told of this account what it ever will. Null: for none.
ALTER TABLE venue_accounts ADD COLUMN match_tried_at timestamptz;
