-- Whoever may open now may have been stopped in what is forgotten: nobody opens until an operator lets them. What is stopped
-- already stays as it is.
INSERT INTO trading_controls AS c (scope, id, state, reason, set_by, set_at, by_operator)
SELECT 'deployment', d.id::text, 'CLOSE_ONLY', :reason, :set_by, clock_timestamp(), true
FROM agent_deployments d WHERE d.status = 'ACTIVE'
ORDER BY d.id::text -- as they are locked where they are let go
ON CONFLICT (scope, id) DO UPDATE
SET state = excluded.state, reason = excluded.reason, set_by = excluded.set_by, by_operator = excluded.by_operator,
    set_at = greatest(clock_timestamp(), c.set_at + interval '1 microsecond')
WHERE c.state = 'ACTIVE'
RETURNING c.id;
