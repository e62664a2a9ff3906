-- An operator has looked at them: what a restore holds back may open again, but for those that are left as they are.
UPDATE trading_controls c
SET state = 'ACTIVE', reason = :reason, set_by = :set_by, set_at = greatest(clock_timestamp(), c.set_at + interval '1 microsecond')
WHERE c.scope = 'deployment' AND c.state = 'CLOSE_ONLY' AND c.by_operator AND starts_with(c.reason, :held)
  AND c.id <> ALL (CAST(:leave AS text[]))
RETURNING c.id;
