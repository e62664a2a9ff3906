-- All that venues did is known here, or somebody answers for what is not: trading may go on, as far as this is concerned. A
-- restore that was told after `told_at` was looked at by nobody yet, and stays open. No row while a decision is lacking.
UPDATE restores r
SET matched_at = clock_timestamp(), accepted_by = :accepted_by, accepted = CAST(:accepted AS text[])
WHERE r.matched_at IS NULL AND r.told_at <= coalesce(CAST(:told_at AS timestamptz), r.told_at)
  AND NOT EXISTS (SELECT FROM unowned_fills u WHERE u.decision IS NULL)
RETURNING r.id;
