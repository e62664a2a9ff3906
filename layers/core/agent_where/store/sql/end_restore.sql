-- All that venues did is known here: trading may go on, as far as this is concerned. No row while a decision is lacking.
UPDATE restores r
SET matched_at = clock_timestamp(), accepted_by = :accepted_by
WHERE r.matched_at IS NULL AND NOT EXISTS (SELECT FROM unowned_fills u WHERE u.decision IS NULL)
RETURNING r.id;
