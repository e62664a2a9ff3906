-- Set a control of what is in the caller's reach; global and venue are an operator's. No row: nothing of that
-- id is in reach. A row without state: an operator stopped it, and the caller is none.
WITH target AS (
    SELECT a.id FROM agents a
    WHERE :scope = 'agent' AND a.id = CAST(:of_id AS uuid) AND (:everything OR lower(a.creator_wallet) = :wallet)
    UNION ALL
    SELECT d.id FROM agent_deployments d
    WHERE :scope = 'deployment' AND d.id = CAST(:of_id AS uuid) AND (:everything OR lower(d.user_wallet) = :wallet)
    UNION ALL
    SELECT NULL WHERE :scope IN ('global', 'venue') AND :everything
), written AS (
    INSERT INTO trading_controls AS c (scope, id, state, reason, set_by, set_at, by_operator)
    SELECT :scope, CAST(:id AS text), :state, :reason, :set_by, clock_timestamp(), :everything FROM target
    ON CONFLICT (scope, id) DO UPDATE
    SET state = excluded.state, reason = excluded.reason, set_by = excluded.set_by, by_operator = excluded.by_operator,
        set_at = greatest(clock_timestamp(), c.set_at + interval '1 microsecond')
    WHERE :everything OR NOT c.by_operator OR c.state = 'ACTIVE'
    RETURNING c.*
)
SELECT w.* FROM target LEFT JOIN written w ON true;
