-- An operator has looked at these: what a restore holds back may open again, but for those that are left, which are the
-- operator's own from now on. Of a restore that was told since they know nothing.
UPDATE trading_controls c
SET state = CASE WHEN c.id = ANY (CAST(:leave AS text[])) THEN c.state ELSE 'ACTIVE' END,
    reason = CASE WHEN c.id = ANY (CAST(:leave AS text[])) THEN 'left: ' ELSE '' END || CAST(:reason AS text),
    set_by = :set_by, set_at = greatest(clock_timestamp(), c.set_at + interval '1 microsecond')
WHERE c.scope = 'deployment' AND c.state = 'CLOSE_ONLY' AND c.by_operator AND starts_with(c.reason, :held)
  AND c.id = ANY (CAST(:seen AS text[])) AND NOT EXISTS (SELECT FROM restores r WHERE r.told_at > CAST(:epoch AS timestamptz))
RETURNING c.id, c.state;
